#!/bin/sh
# Brings a cluster from one step of its plan to the next, by commits: captures a snapshot without
# secrets, renders the next step from it, commits and pushes what changed, waits, and captures again,
# until nothing is left to do. Argo CD or Flux applies what is pushed. Whatever stops this script, the
# next run goes on from what the cluster is then.
#
# Needs cosmos-render, git, and kubectl with rights to read what KINDS names; no rights to read Secrets.
set -eu

usage() {
    cat <<'END'
Usage: next.sh [-s SPECS] [-o OUT] [-f FILE] [-t TARGET] [-i SECONDS] [-w SECONDS] [-b SECONDS] [-1] [-- FLAG...]

  -s SPECS    the folder with the documents (fleets)
  -o OUT      the folder that is rendered and committed (rendered)
  -f FILE     where the snapshot is committed (snapshot.json)
  -t TARGET   who applies it: argocd, flux or manifests (argocd)
  -i SECONDS  how long to wait before the cluster is looked at again (30)
  -w SECONDS  when to give up and leave the rest to the next run (3000)
  -b SECONDS  take a copy of the documents so long before the first snapshot: nodes that halted at an
              upgrade and go on answering show in time alone (0: don't)
  -1          one look, at most one step
  FLAG...     go to each `cosmos-render render`

In a clone of the repository, on a branch that may be pushed to. Ends with 0 where nothing is left to do,
2 where something is left (time was up, or -1), 3 where something is blocked until its owner allows it,
and 1 where anything failed.
END
}

program="${COSMOS_RENDER:-cosmos-render}"
kubectl="${KUBECTL:-kubectl}"
kinds="${KINDS:-pods,pvc,pv,sc,cm,svc,sa,role,rolebinding,cosmosfullnodes}"
specs=fleets out=rendered snapshot=snapshot.json target=argocd
interval=30 wait=3000 before=0 once=''

say() { printf 'next: %s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }

while getopts s:o:f:t:i:w:b:1h option; do
    case $option in
        s) specs=$OPTARG ;;
        o) out=$OPTARG ;;
        f) snapshot=$OPTARG ;;
        t) target=$OPTARG ;;
        i) interval=$OPTARG ;;
        w) wait=$OPTARG ;;
        b) before=$OPTARG ;;
        1) once=yes ;;
        h) usage; exit 0 ;;
        *) usage >&2; exit 1 ;;
    esac
done
shift $((OPTIND - 1))

# readable for nobody else: what is captured is as secret as the cluster until it is redacted
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# Captures what the cluster holds into "$work/snapshot.json", without secrets.
capture() {
    "$kubectl" get "$kinds" -A -o json >"$work/live.json" || return 1
    "$program" --quiet snapshot --captured-now --out "$work/snapshot.json" "$work"/*live.json || return 1
    rm "$work/live.json"
}

# Puts the branch where its upstream is: what is rendered must follow from the newest documents.
update() {
    git pull --quiet --ff-only || fail "the branch cannot be brought up to date"
}

# Undoes what was written, and not committed.
restore() {
    git reset --quiet -- "$out" "$snapshot"
    for path in "$out" "$snapshot"; do
        if git cat-file -e "HEAD:./$path" 2>/dev/null; then
            git checkout --quiet HEAD -- "$path"
        fi
        git clean --quiet -fd -- "$path"
    done
}

# Commits what was rendered, with the snapshot that it was rendered from; 1 where nothing changed.
commit() {
    git add -A -- "$out" "$snapshot"
    if git diff --cached --quiet -- "$out"; then
        restore
        return 1
    fi
    {
        echo "Render the next step"
        echo
        grep -E '^[^ :]+/[^ :]+: ' "$work/said" || true
    } >"$work/message"
    git commit --quiet -F "$work/message" -- "$out" "$snapshot" || fail "nothing could be committed"
}

# Renders with all flags; "$@" holds those of the caller.
render() {
    "$program" render "$specs" --snapshot "$snapshot" --target "$target" --next --out "$out" "$@"
}

# Looks at the cluster once and takes a step, where one is due. Sets "left" to what `--check` says.
look() {
    update
    capture || fail "no snapshot could be captured"
    mkdir -p "$(dirname "$snapshot")"
    cat "$work/snapshot.json" >"$snapshot"
    left=0
    render --check "$@" 2>"$work/said" || left=$?
    cat "$work/said" >&2
    status=0
    if [ "$left" -eq 2 ]; then
        render "$@" 2>"$work/said" || status=$?
    fi
    case $left$status in
        20 | 23) ;;
        00 | 30) restore; return 0 ;;
        *) restore; fail "nothing could be rendered" ;;
    esac
    if commit; then
        push
    fi
}

# Pushes the commit. Where somebody else was first, it is taken back: the next look renders from what
# they pushed.
push() {
    if git push --quiet; then
        say "pushed $(git log -1 --format=%h): $(sed -n '3p' "$work/message")"
        refused=0
        return 0
    fi
    git reset --quiet --keep HEAD~1
    left=2 refused=$((refused + 1))
    [ "$refused" -lt 5 ] || fail "the branch cannot be pushed to"
    say "somebody else pushed first: looking again"
}

git rev-parse --verify --quiet '@{upstream}' >/dev/null || fail "this is no clone whose branch has an upstream"
if ! git diff --quiet HEAD || [ -n "$(git status --porcelain -- "$out" "$snapshot")" ]; then
    fail "there are changes that are not committed"
fi

end=$(($(date +%s) + wait)) refused=0
if [ "$before" -gt 0 ]; then
    "$kubectl" get cosmosfullnodes -A -o json >"$work/0-live.json" || fail "no snapshot could be captured"
    say "looks again in $before s"
    sleep "$before"
fi
while :; do
    look "$@"
    case $left in
        0) say "nothing is left to do"; exit 0 ;;
        3) say "the rest is blocked until its owner allows it"; exit 3 ;;
    esac
    if [ -n "$once" ] || [ $(($(date +%s) + interval)) -gt "$end" ]; then
        say "something is left for the next run"
        exit 2
    fi
    sleep "$interval"
done
