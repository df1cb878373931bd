//! What the typed arguments mean: checked against each other, with sizes as numbers. After this
//! nobody looks at the arguments again.

use crate::diagnostic::Diagnostic;
use crate::model::Kind;
use crate::model::duration::Duration;
use crate::pipeline::{Assumed, Options, Wanted};
use crate::render::gitops::Applier;
use crate::settings::Settings;
use crate::simulate::Fault;
use crate::simulate::fault::FORMS;

use super::args::{
    DiffArgs, DiffFormat, EmptyKind, InputArgs, LintArgs, LintFormat, ObjectFormat, PlanArgs,
    PlanFormat, RenderArgs, Rollout, SimulateArgs, SimulateFormat, Target, WhyArgs, WhyFormat,
};
use super::policy::Policy;
use super::{Failure, clock};

/// Which inputs a command reads, and how it plans.
#[derive(Debug, Clone)]
pub(super) struct Inputs {
    pub(super) specs: Vec<String>,
    pub(super) snapshot: Option<Vec<String>>,
    pub(super) max_input: Option<u64>,
    pub(super) options: Options,
}

impl Inputs {
    /// Returns the same inputs with what the settings say of how to plan.
    pub(super) fn settled(&self, settings: &Settings) -> Self {
        let mut settled = self.clone();
        settled
            .options
            .helper_image
            .clone_from(&settings.helper_image);
        settled
    }
}

/// A `plan` to run.
#[derive(Debug)]
pub(super) struct PlanRun {
    pub(super) inputs: Inputs,
    pub(super) format: PlanFormat,
    /// The settings, where they are named.
    pub(super) config: Option<String>,
    /// The file to save the plan to as well.
    pub(super) out: Option<String>,
    pub(super) policy: Policy,
}

/// A `diff` to run.
#[derive(Debug)]
pub(super) struct DiffRun {
    pub(super) base: String,
    pub(super) head: Option<String>,
    /// The inputs of the head; its specifications are where documents are looked for in revisions.
    pub(super) inputs: Inputs,
    /// The settings, where they are named.
    pub(super) config: Option<String>,
    pub(super) format: DiffFormat,
    /// The folder that every form is written to as well.
    pub(super) reports: Option<String>,
    pub(super) policy: Policy,
}

/// A `render` to run.
#[derive(Debug)]
pub(super) struct RenderRun {
    pub(super) inputs: Inputs,
    pub(super) target: Target,
    pub(super) format: ObjectFormat,
    pub(super) out: Option<String>,
    pub(super) allow_empty: bool,
    /// The file of the plan that must still hold.
    pub(super) plan: Option<String>,
    /// The settings, where they are named.
    pub(super) config: Option<String>,
    /// The image of Jobs of ours, where it is named.
    pub(super) roll_image: Option<String>,
    /// Where Flux's source has what is rendered, where it is named.
    pub(super) flux_path: Option<String>,
    /// Whether nothing is written, and told whether anything would be.
    pub(super) is_check: bool,
}

/// A `why` to run.
#[derive(Debug)]
pub(super) struct WhyRun {
    pub(super) inputs: Inputs,
    pub(super) pod: String,
    /// The settings, where they are named.
    pub(super) config: Option<String>,
    pub(super) format: WhyFormat,
}

/// A `simulate` to run.
#[derive(Debug)]
pub(super) struct SimulateRun {
    pub(super) inputs: Inputs,
    pub(super) faults: Vec<Fault>,
    /// How far ahead upgrades are followed, in seconds.
    pub(super) horizon: i64,
    /// The settings to read; those above the specifications where there is none.
    pub(super) config: Option<String>,
    pub(super) format: SimulateFormat,
}

/// A `lint` to run.
#[derive(Debug)]
pub(super) enum LintRun {
    /// Says what a code means.
    Explain(String),
    /// Judges.
    Judge {
        inputs: Inputs,
        /// The settings, where they are named.
        config: Option<String>,
        format: LintFormat,
        denies_warnings: bool,
    },
}

/// Resolves the arguments of `lint`.
pub(super) fn lint(args: LintArgs) -> Result<LintRun, Failure> {
    let LintArgs {
        specs,
        snapshot,
        config,
        max_input,
        output,
        explain,
        deny_warnings,
    } = args;
    if let Some(code) = explain {
        return Ok(LintRun::Explain(code));
    }
    let inputs = inputs(InputArgs {
        specs,
        snapshot,
        namespace: None,
        max_age: None,
        max_input,
        refresh: false,
    })?;
    Ok(LintRun::Judge {
        inputs,
        config,
        format: output,
        denies_warnings: deny_warnings,
    })
}

/// Resolves the arguments of `plan`.
pub(super) fn plan(args: PlanArgs) -> Result<PlanRun, Failure> {
    let PlanArgs {
        input,
        adopt,
        config,
        keep_going,
        output,
        out,
        deny,
        max_restarts,
        detailed_exitcode,
    } = args;
    if out.as_deref() == Some("-") {
        let fault = Diagnostic::error("usage", "`--out -` names no file to save the plan to")
            .hint("the plan is printed in any case: `-o json` prints what is saved");
        return Err(wrong(fault));
    }
    let mut inputs = inputs(input)?;
    inputs.options.adopt = adopt;
    inputs.options.keep_going = keep_going;
    inputs.options.wanted = Wanted::Plan;
    Ok(PlanRun {
        inputs,
        config,
        format: output,
        out,
        policy: Policy {
            deny,
            max_restarts,
            tells_changes: detailed_exitcode,
        },
    })
}

/// Resolves the arguments of `diff`.
pub(super) fn diff(args: DiffArgs) -> Result<DiffRun, Failure> {
    let DiffArgs {
        base,
        head,
        paths,
        snapshot,
        namespace,
        max_input,
        max_age,
        config,
        output,
        reports,
        deny,
        max_restarts,
        exit_code,
    } = args;
    let specs = if paths.is_empty() {
        vec![".".to_owned()]
    } else {
        paths
    };
    let inputs = inputs(InputArgs {
        specs,
        snapshot,
        namespace,
        max_input,
        max_age,
        refresh: false,
    })?;
    Ok(DiffRun {
        base,
        head,
        inputs,
        config,
        format: output,
        reports,
        policy: Policy {
            deny,
            max_restarts,
            tells_changes: exit_code,
        },
    })
}

/// Resolves the arguments of `render`.
pub(super) fn render(args: RenderArgs) -> Result<RenderRun, Failure> {
    let RenderArgs {
        input,
        target,
        output,
        out,
        allow_empty,
        plan,
        config,
        roll_image,
        flux_path,
        assume_empty,
        accept_owner,
        rollout,
        next,
        check,
    } = args;
    if target == Target::Flux && out.is_none() {
        let fault = Diagnostic::error("usage", "`--target flux` writes several files")
            .hint("name the folder to write them to with `--out`");
        return Err(wrong(fault));
    }
    // nothing is kept going here: a fleet left out would look like one to remove
    let mut inputs = inputs(input)?;
    inputs.options.handover.applier = match target {
        Target::Manifests => None,
        Target::ArgoCd => Some(Applier::ArgoCd),
        Target::Flux => Some(Applier::Flux),
    };
    inputs.options.handover.assumed = assumed(&assume_empty);
    inputs.options.handover.accepts_owner = accept_owner;
    inputs.options.handover.is_next = next || rollout == Rollout::Steps;
    Ok(RenderRun {
        inputs,
        target,
        format: output,
        out,
        allow_empty,
        plan,
        config,
        roll_image,
        flux_path,
        is_check: check,
    })
}

fn assumed(kinds: &[EmptyKind]) -> Assumed {
    kinds
        .iter()
        .fold(Assumed::default(), |assumed, kind| match kind {
            EmptyKind::All => assumed.all(),
            EmptyKind::Services => assumed.with(Kind::Service),
            EmptyKind::ConfigMaps => assumed.with(Kind::ConfigMap),
            EmptyKind::Claims => assumed.with(Kind::PersistentVolumeClaim),
            EmptyKind::Pods => assumed.with(Kind::Pod),
        })
}

/// Resolves the arguments of `why`.
pub(super) fn why(args: WhyArgs) -> Result<WhyRun, Failure> {
    let WhyArgs {
        pod,
        input,
        adopt,
        config,
        output,
    } = args;
    let mut inputs = inputs(input)?;
    inputs.options.adopt = adopt;
    inputs.options.wanted = Wanted::Members;
    Ok(WhyRun {
        inputs,
        pod,
        config,
        format: output,
    })
}

/// Resolves the arguments of `simulate`.
pub(super) fn simulate(args: SimulateArgs) -> Result<SimulateRun, Failure> {
    let SimulateArgs {
        input,
        adopt,
        fault,
        until,
        config,
        output,
    } = args;
    let mut inputs = inputs(input)?;
    inputs.options.adopt = adopt;
    let faults = fault.iter().map(|text| {
        Fault::parse(text).map_err(|why| {
            let fault = Diagnostic::error("usage", format!("--fault {text}: {why}"));
            wrong(fault.hint(format!("faults are {FORMS}")))
        })
    });
    let horizon = Duration::parse(&until).map_err(|why| {
        let fault = Diagnostic::error("usage", format!("--until {until}: {why}"));
        wrong(fault.hint("write a time with units: --until 12h"))
    })?;
    Ok(SimulateRun {
        inputs,
        faults: faults.collect::<Result<_, _>>()?,
        horizon: i64::try_from(horizon.seconds).unwrap_or(i64::MAX),
        config,
        format: output,
    })
}

fn inputs(args: InputArgs) -> Result<Inputs, Failure> {
    let InputArgs {
        specs,
        snapshot,
        namespace,
        max_input,
        max_age,
        refresh,
    } = args;
    let stdins = specs.iter().chain(&snapshot).filter(|p| *p == "-").count();
    if stdins > 1 {
        let fault = Diagnostic::error("usage", "standard input can be read only once")
            .hint("give `-` once, and files for the rest");
        return Err(wrong(fault));
    }
    let max_age = max_age.as_deref().map(duration).transpose()?;
    let max_input = max_input.as_deref().map(size).transpose()?;
    Ok(Inputs {
        specs,
        snapshot: (!snapshot.is_empty()).then_some(snapshot),
        max_input,
        options: Options {
            namespace,
            refresh,
            now: Some(clock::now().map_err(|fault| wrong(*fault))?),
            max_age,
            ..Options::default()
        },
    })
}

/// Parses a size in bytes.
fn size(text: &str) -> Result<u64, Failure> {
    const UNITS: [(&str, u64); 9] = [
        ("Ki", 1 << 10),
        ("Mi", 1 << 20),
        ("Gi", 1 << 30),
        ("Ti", 1 << 40),
        ("k", 1_000),
        ("M", 1_000_000),
        ("G", 1_000_000_000),
        ("T", 1_000_000_000_000),
        ("", 1),
    ];
    let parse = |(unit, factor): &(&str, u64)| {
        let digits = text.strip_suffix(unit)?;
        let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        digits
            .parse::<u64>()
            .ok()
            .filter(|_| is_number)?
            .checked_mul(*factor)
    };
    UNITS
        .iter()
        .find_map(parse)
        .filter(|n| *n > 0)
        .ok_or_else(|| {
            let message = format!("`{text}` is no size");
            let hint =
                "write bytes, or a whole number with Ki, Mi, Gi, k, M or G: --max-input 16Gi";
            wrong(Diagnostic::error("usage", message).hint(hint))
        })
}

/// Parses a length of time into seconds.
fn duration(text: &str) -> Result<i64, Failure> {
    let parsed = Duration::parse(text);
    let seconds = parsed.map(|length| i64::try_from(length.seconds));
    match seconds {
        Ok(Ok(seconds)) if seconds > 0 => Ok(seconds),
        _ => {
            let message = format!("`{text}` is no length of time");
            let hint = "write numbers with units: --max-age 90m, --max-age 1h30m";
            Err(wrong(Diagnostic::error("usage", message).hint(hint)))
        }
    }
}

fn wrong(fault: Diagnostic) -> Failure {
    Failure {
        diagnostics: vec![fault],
        consequence: "nothing was read",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_size(text: &str, expected: Option<u64>) {
        assert_eq!(size(text).ok(), expected, "{text}");
    }

    #[test]
    fn sizes_are_bytes_or_have_a_unit() {
        check_size("1024", Some(1024));
        check_size("16Gi", Some(16 << 30));
        check_size("5M", Some(5_000_000));
        for wrong in [
            "",
            "0",
            "-1",
            "+1",
            "1.5Gi",
            "Gi",
            "5 M",
            "99999999999Ti",
            "5m",
        ] {
            check_size(wrong, None);
        }
    }

    #[track_caller]
    fn check_duration(text: &str, expected: Option<i64>) {
        assert_eq!(duration(text).ok(), expected, "{text}");
    }

    #[test]
    fn lengths_of_time_have_units() {
        check_duration("90s", Some(90));
        check_duration("30m", Some(1_800));
        check_duration("1h30m", Some(5_400));
        check_duration("2d", Some(172_800));
        for wrong in ["", "0h", "-1h", "1", "h"] {
            check_duration(wrong, None);
        }
        check_duration("99999999999999999999d", None);
    }

    #[test]
    fn standard_input_is_read_once() {
        let args = |specs: &[&str], snapshot: &[&str]| InputArgs {
            specs: specs.iter().map(|s| (*s).to_owned()).collect(),
            snapshot: snapshot.iter().map(|s| (*s).to_owned()).collect(),
            namespace: None,
            max_input: None,
            max_age: None,
            refresh: false,
        };
        assert!(inputs(args(&["-"], &["x"])).is_ok());
        assert!(inputs(args(&["-"], &["-"])).is_err());
        assert!(inputs(args(&["-", "-"], &[])).is_err());
    }
}
