//! From errors to messages and exit codes: 2 for bad use, which another call can mend; 1 for work that failed; 130 for work
//! that was interrupted.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use aumenta_augment::TranslateError;
use aumenta_dataset::{DatasetError, TableFault};
use aumenta_models::ModelError;
use aumenta_nn::NnError;
use aumenta_report::{FormFault, ReportError};
use aumenta_runs::RunsError;
use aumenta_stream::StreamError;
use aumenta_study::{StudyError, nearest};
use aumenta_train::TrainError;

use crate::interrupt::{EXIT_CODE, Interrupted, InterruptedStudy};

/// Marks an error as bad use.
#[derive(Debug)]
pub struct BadUse(anyhow::Error);

impl BadUse {
    /// Bad use, explained by `message`.
    pub fn message(message: String) -> anyhow::Error {
        anyhow::Error::new(Self(anyhow::Error::msg(message)))
    }

    /// `error`, marked as bad use.
    pub fn wrap(error: anyhow::Error) -> anyhow::Error {
        anyhow::Error::new(Self(error))
    }

    /// `error`, marked as bad use.
    pub fn from_error(error: impl Error + Send + Sync + 'static) -> anyhow::Error {
        Self::wrap(error.into())
    }
}

impl fmt::Display for BadUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for BadUse {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// An error with advice that depends on it.
#[derive(Debug)]
pub struct Advised {
    error: anyhow::Error,
    hint: String,
}

impl Advised {
    /// `error`, with `hint` to be given besides.
    pub fn wrap(error: anyhow::Error, hint: String) -> anyhow::Error {
        anyhow::Error::new(Self { error, hint })
    }
}

impl fmt::Display for Advised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for Advised {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

/// Prints an error with its causes to standard error; the exit code that it deserves.
pub fn report(error: &anyhow::Error) -> ExitCode {
    if error.is::<Interrupted>() || error.is::<InterruptedStudy>() {
        eprintln!("{error}");
        return ExitCode::from(EXIT_CODE);
    }
    eprintln!("error: {error}");
    let mut last = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Some libraries repeat their cause in their own message.
        if !last.ends_with(&cause) {
            eprintln!("  caused by: {}", cause.trim_end().replace('\n', "\n  "));
        }
        last = cause;
    }
    let advice = error.chain().find_map(|cause| {
        let of_form = || cause.downcast_ref().and_then(form_hint);
        let of_device = || cause.downcast_ref().and_then(device_hint);
        let of_library = || cause.downcast_ref().and_then(library_hint);
        let advice = || cause.downcast_ref().map(|advised: &Advised| advised.hint.as_str());
        cause.downcast_ref().and_then(hint).or_else(of_device).or_else(of_library).or_else(of_form).or_else(advice)
    });
    if let Some(hint) = advice.map(str::to_owned).or_else(|| spelling_hint(error)) {
        eprintln!("hint: {hint}");
    }
    ExitCode::from(if is_bad_use(error) { 2 } else { 1 })
}

/// What was meant by a name that a file of settings has and no setting, or no value of one, is called.
fn spelling_hint(error: &anyhow::Error) -> Option<String> {
    let unknown = |message: String| unknown_name(&message, "field").or_else(|| unknown_name(&message, "variant"));
    let (name, known) = error.chain().find_map(|cause| unknown(cause.to_string()))?;
    let near = nearest(&name, known.iter().map(String::as_str));
    (!near.is_empty()).then(|| format!("is it `{}`?", near.join("` or `")))
}

/// The name of a field or a variant that a parser does not know, and those that it does: serde's message has all of them in
/// backticks.
pub fn unknown_name(message: &str, what: &str) -> Option<(String, Vec<String>)> {
    let (_, rest) = message.split_once(&format!("unknown {what} `"))?;
    let mut names = rest.split('`').step_by(2).map(str::to_owned);
    Some((names.next()?, names.collect()))
}

/// The flag that helps, where there is one.
fn hint(error: &DatasetError) -> Option<&'static str> {
    match error {
        DatasetError::Faulty { .. } => Some("--skip-faulty leaves them out and notes them in the manifest"),
        DatasetError::AmbiguousInner { .. } | DatasetError::InnerMissing { .. } => {
            Some("--inner NAME names the archive")
        }
        DatasetError::UnknownLabel { .. } | DatasetError::LabelRule { .. } | DatasetError::OneClass { .. } => {
            Some("--labels, --labels-pattern or --labels-csv says where the class stands")
        }
        DatasetError::Table { fault: TableFault::ManyColumns { .. }, .. } => {
            Some("--label-column NAME takes one of them for the class")
        }
        DatasetError::Table { fault: TableFault::NoIds { .. }, .. } => Some("--id-column NAME names it"),
        _ => None,
    }
}

/// The device that is always there.
fn device_hint(error: &NnError) -> Option<&'static str> {
    matches!(error, NnError::Device { .. }).then_some("--device cpu needs no GPU")
}

/// The flag that says whose a program is.
fn library_hint(error: &TranslateError) -> Option<&'static str> {
    matches!(error, TranslateError::Ambiguous { .. })
        .then_some("--from torchvision or --from albumentations says whose it is")
}

/// The flag that completes a submission.
fn form_hint(error: &ReportError) -> Option<&'static str> {
    match error {
        ReportError::Form(FormFault::Positive { .. }) => Some("--positive CLASS chooses one"),
        ReportError::Form(FormFault::Unusable { .. }) => Some("--fill VALUE stands in for them"),
        _ => None,
    }
}

fn is_bad_use(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<BadUse>()
            || cause.is::<ModelError>()
            || cause.downcast_ref().is_some_and(DatasetError::is_bad_use)
            || cause.downcast_ref().is_some_and(StreamError::is_bad_use)
            || cause.downcast_ref().is_some_and(StudyError::is_bad_use)
            || matches!(
                cause.downcast_ref(),
                Some(
                    NnError::Device { .. }
                        | NnError::Precision { .. }
                        | NnError::Setting { .. }
                        | NnError::Group { .. }
                )
            )
            || matches!(cause.downcast_ref(), Some(ReportError::Form(_)))
            || matches!(cause.downcast_ref(), Some(RunsError::NotEmpty { .. } | RunsError::NotARun { .. }))
            || matches!(cause.downcast_ref(), Some(TrainError::Classes { .. } | TrainError::Setting { .. }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_spelling(message: &str, expected: Option<&str>) {
        let error = anyhow::anyhow!("{message}").context("`net.toml` is no valid configuration");
        assert_eq!(spelling_hint(&error).as_deref(), expected);
    }

    #[test]
    fn a_name_that_is_nearly_that_of_a_setting_is_hinted_at() {
        check_spelling("unknown field `zooom`, expected one of `shear`, `zoom`, `fill`", Some("is it `zoom`?"));
        check_spelling("unknown variant `rmsprob`, expected `sgd` or `rmsprop`", Some("is it `rmsprop`?"));
        check_spelling("unknown field `colour`, expected `zoom`", None);
        check_spelling("unknown field `colour`, there are no fields", None);
        check_spelling("expected a number", None);
    }
}
