// Opens every page of a folder in a headless Chromium, in light and dark, on a phone and on a desk, and
// names what is wrong with it. `look.mjs FOLDER`; ends with "N passed, N failed".

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import packed from "@sparticuz/chromium";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const LOOKS = ["light", "dark"].flatMap((scheme) => [360, 1280].map((width) => ({ scheme, width })));

// Opens a page and hears all that it says and asks for.
async function open(browser, file, { scheme = "light", width = 1280, script = true } = {}) {
  const context = await browser.newContext({
    colorScheme: scheme, viewport: { width, height: 800 }, javaScriptEnabled: script, reducedMotion: "reduce",
  });
  const page = await context.newPage();
  const faults = [];
  const own = pathToFileURL(file).href;
  page.on("console", (said) => said.type() === "error" && faults.push(`console: ${said.text()}`));
  page.on("pageerror", (error) => faults.push(`script: ${error.message}`));
  page.on("dialog", (dialog) => { faults.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => {
    const url = request.url();
    if (url.split("#")[0] !== own && !url.startsWith("data:")) faults.push(`asks for ${url}`);
  });
  await context.route(/^(https?|ws|ftp):/, (route) => route.abort());
  await page.goto(own);
  return { context, page, faults };
}

// Unfolds all, so that nothing is passed over because it is not drawn.
const unfold = (page) => page.evaluate(() => {
  for (const fold of document.querySelectorAll("details")) fold.open = true;
  for (const fleet of document.querySelectorAll(".fleet")) fleet.style.contentVisibility = "visible";
});

async function judge(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return violations.map(({ id, nodes }) => `axe: ${id}: ${nodes.length} places, such as ${nodes[0].html.slice(0, 160)}`);
}

async function wide(page) {
  const [inner, outer] = await page.evaluate(() => {
    const root = document.documentElement;
    return [Math.max(root.scrollWidth, document.body.scrollWidth), root.clientWidth];
  });
  return inner > outer ? [`the page is ${inner} wide in a window of ${outer}`] : [];
}

// What is drawn is what it says: folded or not.
async function looks(browser, file, look) {
  const { context, page, faults } = await open(browser, file, look);
  faults.push(...(await wide(page)));
  await unfold(page);
  faults.push(...(await wide(page)), ...(await judge(page)));
  if (await page.evaluate(() => document.querySelector("main img, main script, main iframe, main style, [onerror], [onload]"))) {
    faults.push("there is an element that no page of ours has");
  }
  await context.close();
  return faults;
}

const shownSteps = (page) => page.evaluate(() => [...document.querySelectorAll("[data-step]")].filter((s) => !s.hidden).length);

async function searches(browser, file) {
  const { context, page, faults } = await open(browser, file);
  const all = await shownSteps(page);
  if (all > 0) {
    const box = page.locator("#find");
    if (!(await box.isVisible())) faults.push("there is no search");
    const settle = () => page.waitForTimeout(250);
    await page.keyboard.press("/");
    if (!(await box.evaluate((element) => element === document.activeElement))) faults.push("`/` does not lead to the search");
    await box.fill("no such words anywhere");
    await settle();
    if ((await shownSteps(page)) !== 0) faults.push("search: what does not fit is shown");
    if (!(await page.locator("#found").textContent()).startsWith(`0 of ${all} `)) faults.push("search: does not say how much it found");
    const words = await page.evaluate(() => document.querySelector("[data-step] .names").textContent.split(/[\s,]+/)[0]);
    await box.fill(words.toUpperCase());
    await settle();
    const wrong = await page.evaluate((word) => [...document.querySelectorAll("[data-step]")].filter((step) => {
      const titles = [...document.querySelectorAll("[data-group]")].filter((group) => group.contains(step));
      const text = step.textContent + titles.map((group) => group.querySelector("h2, h3, summary").textContent).join(" ");
      return step.hidden === text.toLowerCase().includes(word.toLowerCase());
    }).length, words);
    if (wrong > 0 || (await shownSteps(page)) === 0) faults.push(`search: \`${words}\` shows ${wrong} entries wrongly`);
    await box.fill("");
    await settle();
    if ((await shownSteps(page)) !== all) faults.push("search: an empty one does not show all");
  }
  await context.close();
  return faults;
}

// Every fold is reached by the Tab key and opened by Enter.
async function keys(browser, file) {
  const { context, page, faults } = await open(browser, file, { width: 360 });
  const folds = await page.evaluate(() => {
    const visible = [...document.querySelectorAll("summary")].filter((s) => s.checkVisibility());
    visible.forEach((summary, index) => { summary.dataset.place = index; });
    return visible.length;
  });
  const reached = new Set();
  const most = 40;
  for (let press = 0; press < 400 && reached.size < Math.min(folds, most); press += 1) {
    await page.keyboard.press("Tab");
    const place = await page.evaluate(() => document.activeElement?.dataset?.place);
    if (place === undefined || reached.has(place)) continue;
    reached.add(place);
    await page.keyboard.press("Enter");
    const isOpen = await page.evaluate(() => document.activeElement.parentElement.open);
    if (!isOpen) faults.push(`Enter does not open fold ${place}`);
    await page.keyboard.press("Enter");
  }
  if (reached.size < Math.min(folds, most)) faults.push(`the Tab key reaches ${reached.size} of ${folds} folds`);
  await context.close();
  return faults;
}

async function withoutScript(browser, file) {
  const { context, page, faults } = await open(browser, file, { script: false });
  const hidden = await page.locator("[data-step]").first().isHidden().catch(() => false);
  if ((await page.locator("[data-step]").count()) > 0 && hidden) faults.push("without a script nothing is shown");
  if ((await page.locator("#find").count()) > 0 && (await page.locator("#find").isVisible())) faults.push("without a script there is a search");
  if (!(await page.locator("h1").textContent()).trim()) faults.push("there is no verdict");
  await context.close();
  return faults;
}

// A page with every fault: who does not find them checks nothing.
async function proves(browser, folder) {
  const file = join(folder, "broken.htm");
  writeFileSync(file, `<!DOCTYPE html><html><title>x</title><h1>x</h1><main><img src="https://example.com/x.png"></main>
    <div style="width:900px">wide</div><form><input id="find"><output id="found"></output></form>
    <div data-group><h2>x</h2><div data-step><span class="names">a</span></div></div>
    <details><summary tabindex="-1">x</summary></details><script>console.error("x")</script></html>`);
  const look = (await looks(browser, file, { scheme: "dark", width: 360 })).join("\n");
  const expected = ["console: x", "asks for https://example.com", "the page is ", "axe: image-alt", "no page of ours"];
  const missed = expected.filter((fault) => !look.includes(fault));
  if (!(await searches(browser, file)).some((fault) => fault.startsWith("search: "))) missed.push("search");
  if ((await keys(browser, file)).length === 0) missed.push("keys");
  return missed.map((fault) => `a broken page passes: ${fault}`);
}

const folder = resolve(process.argv[2]);
const pages = readdirSync(folder).filter((name) => name.endsWith(".html")).sort().map((name) => join(folder, name));
const path = await packed.executablePath();
let browser;
try {
  browser = await chromium.launch({ executablePath: path, args: ["--no-sandbox", "--headless=shell"] });
} catch (error) {
  console.log(`skipped: the browser does not start: ${error.message.split("\n").slice(0, 3).join(" ")}`);
  process.exit(0);
}
let passed = 0;
let failed = 0;
const told = (name, faults) => {
  if (faults.length === 0) { passed += 1; return; }
  failed += 1;
  for (const fault of new Set(faults)) console.log(`FAIL ${name}: ${fault}`);
};
const tasks = [["the check itself", () => proves(browser, folder)]];
for (const file of pages) {
  const name = basename(file, ".html");
  for (const look of LOOKS) tasks.push([`${name} (${look.scheme}, ${look.width})`, () => looks(browser, file, look)]);
  tasks.push([`${name} (search)`, () => searches(browser, file)]);
  tasks.push([`${name} (keys)`, () => keys(browser, file)]);
  tasks.push([`${name} (without a script)`, () => withoutScript(browser, file)]);
}
// some side by side; what breaks off is a fault of its page
const worker = async () => {
  for (let task = tasks.shift(); task; task = tasks.shift()) {
    const [name, run] = task;
    told(name, await run().catch((error) => [`broke off: ${error.message.split("\n")[0]}`]));
  }
};
await Promise.all([worker(), worker(), worker()]);
console.log(`Chromium ${browser.version()}, ${pages.length} pages`);
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || pages.length === 0 ? 1 : 0);
