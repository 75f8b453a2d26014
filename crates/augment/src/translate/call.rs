//! [`Call`]: a transform as its library writes it, with a name and arguments, whether it came from Python or from JSON.

use std::fmt;

use super::TranslateError;

/// A place in a text, both numbers counted from 1; columns are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// A call such as `transforms.RandomRotation(30, fill=0)`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    /// The dotted name as it was written: `transforms.RandomRotation`.
    pub name: String,
    pub arguments: Vec<Argument>,
    /// Where the call starts, or `None` in JSON, whose reader keeps no places.
    pub position: Option<Position>,
}

/// One argument of a [`Call`].
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Argument {
    /// `None` for a positional argument.
    pub name: Option<String>,
    pub value: Value,
    pub position: Option<Position>,
}

/// What can stand as an argument.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    /// A list or a tuple.
    Sequence(Vec<Value>),
    /// A dictionary with texts as keys.
    Dictionary(Vec<(String, Value)>),
    /// A name that stands for something else, such as `InterpolationMode.BILINEAR` or a variable.
    Name(String),
    Call(Call),
    /// A `lambda`, whose body is not read.
    Function,
}

impl Call {
    /// The last part of the name: `RandomRotation` of `transforms.RandomRotation`.
    pub fn short_name(&self) -> &str {
        last_part(&self.name)
    }

    /// The number that is given by this name, of a call whose parameters are not known.
    pub fn named_number(&self, name: &str) -> Option<f64> {
        let argument = self.arguments.iter().find(|argument| argument.name.as_deref() == Some(name))?;
        number(&argument.value)
    }

    /// The arguments by name, positional ones taking the names of `parameters` in order.
    ///
    /// # Errors
    /// Where there are more positional arguments than parameters, a name is not among `parameters`, or one is given
    /// twice.
    pub fn bind<'a>(&'a self, parameters: &[&'static str]) -> Result<Arguments<'a>, TranslateError> {
        let mut bound: Vec<(&str, &Argument)> = Vec::new();
        for (at, argument) in self.arguments.iter().enumerate() {
            let name = argument.name.as_deref().or(parameters.get(at).copied());
            let known = name.filter(|name| parameters.contains(name));
            let Some(name) = known else {
                return Err(TranslateError::UnknownArgument {
                    call: self.short_name().to_string(),
                    argument: name.map_or_else(|| format!("number {}", at + 1), str::to_string),
                    position: argument.position,
                });
            };
            if bound.iter().any(|(other, _)| *other == name) {
                return Err(TranslateError::RepeatedArgument {
                    call: self.short_name().to_string(),
                    argument: name.to_string(),
                    position: argument.position,
                });
            }
            bound.push((name, argument));
        }
        Ok(Arguments { call: self, bound })
    }
}

/// The arguments of a call by name, read by type.
pub(super) struct Arguments<'a> {
    call: &'a Call,
    bound: Vec<(&'a str, &'a Argument)>,
}

impl<'a> Arguments<'a> {
    /// The names that were given, in order.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.bound.iter().map(|(name, _)| *name)
    }

    /// The value of `name`, where it was given and is not `None`.
    pub fn value(&self, name: &str) -> Option<&'a Value> {
        let (_, argument) = self.bound.iter().find(|(other, _)| *other == name)?;
        (argument.value != Value::None).then_some(&argument.value)
    }

    /// A number, or `default`.
    pub fn number(&self, name: &str, default: f64) -> Result<f64, TranslateError> {
        self.value(name).map_or(Ok(default), |value| number(value).ok_or_else(|| self.unexpected(name, "a number")))
    }

    /// A truth value, or `default`; as in Python, a number is true unless it is 0.
    pub fn truth(&self, name: &str, default: bool) -> Result<bool, TranslateError> {
        match self.value(name) {
            None => Ok(default),
            Some(Value::Bool(truth)) => Ok(*truth),
            Some(value) => {
                number(value).map(|value| value != 0.0).ok_or_else(|| self.unexpected(name, "True or False"))
            }
        }
    }

    /// A text or the last part of a dotted name, in lower case: `bilinear` for `"bilinear"` and
    /// `InterpolationMode.BILINEAR`.
    pub fn word(&self, name: &str, default: &str) -> Result<String, TranslateError> {
        match self.value(name) {
            None => Ok(default.to_string()),
            Some(Value::Text(text)) => Ok(text.to_lowercase()),
            Some(Value::Name(name)) => Ok(last_part(name).to_lowercase()),
            Some(_) => Err(self.unexpected(name, "a text")),
        }
    }

    /// Two numbers, or what `single` makes of one.
    pub fn pair(
        &self,
        name: &str,
        default: (f64, f64),
        single: impl Fn(f64) -> (f64, f64),
    ) -> Result<(f64, f64), TranslateError> {
        match self.value(name) {
            None => Ok(default),
            Some(Value::Sequence(values)) => match values.iter().map(number).collect::<Option<Vec<_>>>().as_deref() {
                Some([low, high]) => Ok((*low, *high)),
                Some([one]) => Ok(single(*one)),
                _ => Err(self.unexpected(name, "one or two numbers")),
            },
            Some(value) => number(value).map(single).ok_or_else(|| self.unexpected(name, "one or two numbers")),
        }
    }

    /// A sequence of numbers; one number is a sequence of one.
    pub fn numbers(&self, name: &str) -> Result<Option<Vec<f64>>, TranslateError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let numbers = match value {
            Value::Sequence(values) => values.iter().map(number).collect(),
            value => number(value).map(|value| vec![value]),
        };
        numbers.map(Some).ok_or_else(|| self.unexpected(name, "numbers"))
    }

    /// A color: one value for all channels or one for each, which times `scale` are levels of 255.
    pub fn color(&self, name: &str, scale: f64) -> Result<Option<[u8; 3]>, TranslateError> {
        let level = |value: f64| (value * scale).round().clamp(0.0, 255.0) as u8;
        match self.numbers(name)?.as_deref() {
            None => Ok(None),
            Some([gray]) => Ok(Some([level(*gray); 3])),
            Some([red, green, blue]) => Ok(Some([level(*red), level(*green), level(*blue)])),
            Some(_) => Err(self.unexpected(name, "one or three levels")),
        }
    }

    /// The error that `name` is not what was expected.
    pub fn unexpected(&self, name: &str, expected: &'static str) -> TranslateError {
        let argument = self.bound.iter().find(|(other, _)| *other == name).map(|(_, argument)| *argument);
        TranslateError::UnexpectedValue {
            call: self.call.short_name().to_string(),
            argument: name.to_string(),
            value: argument.map_or_else(|| "None".to_string(), |argument| argument.value.to_string()),
            expected,
            position: argument.and_then(|argument| argument.position),
        }
    }
}

/// The number that a value is; Python counts `True` as 1.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(integer) => Some(*integer as f64),
        Value::Float(float) => Some(*float),
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        _ => None,
    }
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// As Python would write it, for messages.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Bool(true) => f.write_str("True"),
            Self::Bool(false) => f.write_str("False"),
            Self::Integer(integer) => write!(f, "{integer}"),
            Self::Float(float) => write!(f, "{float:?}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Sequence(values) => {
                f.write_str("[")?;
                for (at, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if at == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Dictionary(_) => f.write_str("a dictionary"),
            Self::Name(name) => f.write_str(name),
            Self::Call(call) => write!(f, "{}(...)", call.name),
            Self::Function => f.write_str("a lambda"),
        }
    }
}
