//! A reader of Python calls with literal arguments: enough for `ImageDataGenerator(...)` and `Compose([...])` in the middle
//! of somebody's script, and nothing is run.
//!
//! Arguments are numbers and arithmetic on them (`30 / 180`, `-1e-3`, `math.pi`), texts, `True`, `False`, `None`, lists,
//! tuples, dictionaries with texts as keys, dotted names, calls, and `lambda`, whose body is skipped. Anything else is an
//! error with its line and column.

use super::TranslateError;
use super::call::{Argument, Call, Position, Value, number};

/// How deep calls, brackets and signs may stand in each other.
pub(super) const MAX_DEPTH: usize = 64;

/// The calls in `source` to a function whose name, without what stands before its last dot, is in `names`; not those
/// within one that was found already.
pub(super) fn find_calls(source: &str, names: &[&str]) -> Result<Vec<Call>, TranslateError> {
    let mut reader = Reader::new(source);
    let mut calls = Vec::new();
    let mut previous = String::new();
    while let Some(next) = reader.peek() {
        if next.is_alphabetic() || next == '_' {
            let position = reader.position;
            let name = reader.dotted_name();
            let defines = previous == "class" || previous == "def";
            if matches!(reader.peek(), Some('"' | '\'')) {
                // What looked like a name was the prefix of a text, as in r"...".
                reader.skip_text();
            } else if names.contains(&name.rsplit('.').next().unwrap_or(&name)) && !defines {
                reader.skip_blank();
                if reader.peek() == Some('(') {
                    calls.push(reader.call(name.clone(), position, 0)?);
                }
            }
            previous = name;
        } else if next == '"' || next == '\'' {
            reader.skip_text();
        } else if next == '#' {
            reader.skip_line();
        } else {
            reader.bump();
        }
    }
    Ok(calls)
}

struct Reader<'a> {
    rest: std::str::Chars<'a>,
    position: Position,
}

impl<'a> Reader<'a> {
    fn new(source: &'a str) -> Self {
        Self { rest: source.chars(), position: Position { line: 1, column: 1 } }
    }

    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn starts_with(&self, text: &str) -> bool {
        self.rest.as_str().starts_with(text)
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.rest.next()?;
        if next == '\n' {
            self.position = Position { line: self.position.line + 1, column: 1 };
        } else {
            self.position.column += 1;
        }
        Some(next)
    }

    /// Takes `text`, if it comes next.
    fn take(&mut self, text: &str) -> bool {
        let found = self.starts_with(text);
        if found {
            for _ in text.chars() {
                self.bump();
            }
        }
        found
    }

    /// White space, line ends, comments and line continuations.
    fn skip_blank(&mut self) {
        while let Some(next) = self.peek() {
            match next {
                '#' => self.skip_line(),
                next if next.is_whitespace() || next == '\\' => {
                    self.bump();
                }
                _ => return,
            }
        }
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|next| next != '\n') {
            self.bump();
        }
    }

    /// A text outside of any call that matters; one that does not end is the end.
    fn skip_text(&mut self) {
        let _ = self.text();
    }

    fn syntax_error(&self, expected: &'static str) -> TranslateError {
        let found = self.peek().map_or_else(|| "the end".to_string(), |next| format!("{next:?}"));
        TranslateError::Syntax { expected, found, position: self.position }
    }

    fn deeper(&self, depth: usize) -> Result<usize, TranslateError> {
        if depth < MAX_DEPTH {
            Ok(depth + 1)
        } else {
            Err(TranslateError::TooDeep { limit: MAX_DEPTH, position: self.position })
        }
    }

    /// Letters, digits, underscores and dots from here on.
    fn dotted_name(&mut self) -> String {
        let mut name = String::new();
        while let Some(next) = self.peek().filter(|&next| next.is_alphanumeric() || next == '_' || next == '.') {
            name.push(next);
            self.bump();
        }
        name
    }

    /// A call whose `(` comes next.
    fn call(&mut self, name: String, position: Position, depth: usize) -> Result<Call, TranslateError> {
        let depth = self.deeper(depth)?;
        self.take("(");
        let arguments = self.list(")", |reader| reader.argument(depth))?;
        Ok(Call { name, arguments, position: Some(position) })
    }

    /// Items divided by commas, up to `end`; a comma may stand after the last.
    fn list<T>(
        &mut self,
        end: &'static str,
        item: impl Fn(&mut Self) -> Result<T, TranslateError>,
    ) -> Result<Vec<T>, TranslateError> {
        let mut items = Vec::new();
        loop {
            self.skip_blank();
            if self.take(end) {
                return Ok(items);
            }
            items.push(item(self)?);
            self.skip_blank();
            if !self.take(",") && !self.starts_with(end) {
                return Err(self.syntax_error("a comma or a closing bracket"));
            }
        }
    }

    fn argument(&mut self, depth: usize) -> Result<Argument, TranslateError> {
        let position = self.position;
        let mut ahead = Reader { rest: self.rest.clone(), position };
        let name = ahead.dotted_name();
        ahead.skip_blank();
        let named = name.starts_with(|first: char| first.is_alphabetic() || first == '_')
            && ahead.starts_with("=")
            && !ahead.starts_with("==");
        if named {
            ahead.take("=");
            *self = ahead;
        }
        let value = self.sum(depth)?;
        Ok(Argument { name: named.then_some(name), value, position: Some(position) })
    }

    /// Terms joined by `+` and `-`.
    fn sum(&mut self, depth: usize) -> Result<Value, TranslateError> {
        let mut left = self.product(depth)?;
        loop {
            self.skip_blank();
            let position = self.position;
            let add: fn(f64, f64) -> f64 = if self.take("+") {
                |a, b| a + b
            } else if self.take("-") {
                |a, b| a - b
            } else {
                return Ok(left);
            };
            let right = self.product(depth)?;
            left = arithmetic(&left, &right, add, Division::No, position)?;
        }
    }

    /// Factors joined by `*`, `/`, `//` and `%`.
    fn product(&mut self, depth: usize) -> Result<Value, TranslateError> {
        let mut left = self.signed(depth)?;
        loop {
            self.skip_blank();
            let position = self.position;
            let (multiply, division): (fn(f64, f64) -> f64, Division) = if self.take("//") {
                (|a, b| (a / b).floor(), Division::No)
            } else if self.take("/") {
                (|a, b| a / b, Division::Yes)
            } else if self.take("%") {
                (|a, b| a - b * (a / b).floor(), Division::No)
            } else if !self.starts_with("**") && self.take("*") {
                (|a, b| a * b, Division::No)
            } else {
                return Ok(left);
            };
            let right = self.signed(depth)?;
            left = arithmetic(&left, &right, multiply, division, position)?;
        }
    }

    /// A value with any number of signs before it, or a power.
    fn signed(&mut self, depth: usize) -> Result<Value, TranslateError> {
        self.skip_blank();
        let position = self.position;
        if self.take("-") {
            let depth = self.deeper(depth)?;
            return arithmetic(&Value::Integer(0), &self.signed(depth)?, |a, b| a - b, Division::No, position);
        }
        if self.take("+") {
            let depth = self.deeper(depth)?;
            return arithmetic(&Value::Integer(0), &self.signed(depth)?, |a, b| a + b, Division::No, position);
        }
        let base = self.value(depth)?;
        self.skip_blank();
        let position = self.position;
        if !self.take("**") {
            return Ok(base);
        }
        let depth = self.deeper(depth)?;
        arithmetic(&base, &self.signed(depth)?, libm::pow, Division::No, position)
    }

    fn value(&mut self, depth: usize) -> Result<Value, TranslateError> {
        let depth = self.deeper(depth)?;
        self.skip_blank();
        match self.peek() {
            Some('"' | '\'') => self.texts(),
            Some('0'..='9' | '.') => self.number(),
            Some('[') => {
                self.bump();
                Ok(Value::Sequence(self.list("]", |reader| reader.sum(depth))?))
            }
            Some('(') => self.bracketed(depth),
            Some('{') => {
                self.bump();
                Ok(Value::Dictionary(self.list("}", |reader| reader.entry(depth))?))
            }
            Some(next) if next.is_alphabetic() || next == '_' => self.named(depth),
            _ => Err(self.syntax_error("a literal, a name or a call")),
        }
    }

    /// A tuple, or a value in brackets.
    fn bracketed(&mut self, depth: usize) -> Result<Value, TranslateError> {
        self.bump();
        self.skip_blank();
        if self.take(")") {
            return Ok(Value::Sequence(Vec::new()));
        }
        let first = self.sum(depth)?;
        self.skip_blank();
        if self.take(")") {
            return Ok(first);
        }
        if !self.take(",") {
            return Err(self.syntax_error("a comma or a closing bracket"));
        }
        let mut values = vec![first];
        values.extend(self.list(")", |reader| reader.sum(depth))?);
        Ok(Value::Sequence(values))
    }

    /// A key and its value in a dictionary.
    fn entry(&mut self, depth: usize) -> Result<(String, Value), TranslateError> {
        if !matches!(self.peek(), Some('"' | '\'')) {
            return Err(self.syntax_error("a text as the key"));
        }
        let key = self.text()?;
        self.skip_blank();
        if !self.take(":") {
            return Err(self.syntax_error("a colon"));
        }
        Ok((key, self.sum(depth)?))
    }

    /// What starts with a name: a constant, a lambda, a text with a prefix, a call or a name.
    fn named(&mut self, depth: usize) -> Result<Value, TranslateError> {
        let position = self.position;
        let name = self.dotted_name();
        if matches!(name.to_lowercase().as_str(), "r" | "b" | "u" | "br" | "rb")
            && matches!(self.peek(), Some('"' | '\''))
        {
            return self.texts();
        }
        self.skip_blank();
        Ok(match name.as_str() {
            "True" => Value::Bool(true),
            "False" => Value::Bool(false),
            "None" => Value::None,
            "math.pi" | "np.pi" | "numpy.pi" => Value::Float(std::f64::consts::PI),
            "lambda" => {
                self.skip_expression()?;
                Value::Function
            }
            _ if self.peek() == Some('(') => Value::Call(self.call(name, position, depth)?),
            _ => Value::Name(name),
        })
    }

    /// Everything up to the comma or bracket that ends this expression.
    fn skip_expression(&mut self) -> Result<(), TranslateError> {
        // The parameters of a lambda have commas too; they end at its colon.
        let mut open = 0usize;
        let mut colon = false;
        loop {
            match self.peek() {
                None => return Err(self.syntax_error("the end of the lambda")),
                Some('"' | '\'') => {
                    self.text()?;
                    continue;
                }
                Some('#') => {
                    self.skip_line();
                    continue;
                }
                Some('(' | '[' | '{') => open += 1,
                Some(')' | ']' | '}') if open == 0 => return Ok(()),
                Some(')' | ']' | '}') => open -= 1,
                Some(',') if open == 0 && colon => return Ok(()),
                Some(':') if open == 0 => colon = true,
                Some(_) => {}
            }
            self.bump();
        }
    }

    /// Texts that stand side by side are one.
    fn texts(&mut self) -> Result<Value, TranslateError> {
        let mut all = String::new();
        while matches!(self.peek(), Some('"' | '\'')) {
            all.push_str(&self.text()?);
            self.skip_blank();
        }
        Ok(Value::Text(all))
    }

    /// A text in single, double or triple quotes. Escapes of quotes, backslashes, line ends and tabs are resolved, others stay.
    fn text(&mut self) -> Result<String, TranslateError> {
        let quote = if self.peek() == Some('"') { ["\"\"\"", "\""] } else { ["'''", "'"] };
        let long = self.take(quote[0]);
        let end = if long { quote[0] } else { quote[1] };
        if !long {
            self.take(end);
        }
        let mut text = String::new();
        while !self.take(end) {
            match self.bump() {
                Some('\\') => match self.bump() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some(escaped @ ('\\' | '"' | '\'')) => text.push(escaped),
                    Some(other) => text.extend(['\\', other]),
                    None => return Err(self.syntax_error("the end of the text")),
                },
                Some(next) if next != '\n' || long => text.push(next),
                _ => return Err(self.syntax_error("the end of the text")),
            }
        }
        Ok(text)
    }

    fn number(&mut self) -> Result<Value, TranslateError> {
        let position = self.position;
        let mut digits = String::new();
        while let Some(next) = self.peek() {
            let sign = matches!(next, '+' | '-') && digits.ends_with(['e', 'E']);
            if !(next.is_ascii_alphanumeric() || next == '.' || next == '_' || sign) {
                break;
            }
            digits.extend((next != '_').then_some(next));
            self.bump();
        }
        if let Ok(integer) = digits.parse() {
            return Ok(Value::Integer(integer));
        }
        let float = digits.parse().ok().filter(|float: &f64| float.is_finite());
        float.map(Value::Float).ok_or(TranslateError::Syntax { expected: "a number", found: digits, position })
    }
}

/// Whether an operation gives a float even for integers.
#[derive(Clone, Copy, PartialEq)]
enum Division {
    Yes,
    No,
}

/// `operation` on two numbers; integers stay integers where Python keeps them.
fn arithmetic(
    left: &Value,
    right: &Value,
    operation: impl Fn(f64, f64) -> f64,
    division: Division,
    position: Position,
) -> Result<Value, TranslateError> {
    let (Some(a), Some(b)) = (number(left), number(right)) else {
        let wrong = if number(left).is_none() { left } else { right };
        return Err(TranslateError::Syntax { expected: "numbers on both sides", found: wrong.to_string(), position });
    };
    let result = operation(a, b);
    if !result.is_finite() {
        return Err(TranslateError::Syntax { expected: "a finite result", found: result.to_string(), position });
    }
    let whole = !matches!(left, Value::Float(_)) && !matches!(right, Value::Float(_)) && division == Division::No;
    // Beyond 2^53 a float no longer holds every integer.
    let exact = result.fract() == 0.0 && result.abs() < 9_007_199_254_740_992.0;
    Ok(if whole && exact { Value::Integer(result as i64) } else { Value::Float(result) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The only argument of the call `f(...)`.
    fn value(text: &str) -> Value {
        let calls = find_calls(&format!("f({text})"), &["f"]).unwrap();
        calls.into_iter().next().unwrap().arguments.remove(0).value
    }

    fn error(source: &str) -> String {
        find_calls(source, &["f"]).unwrap_err().to_string()
    }

    #[test]
    fn literals_are_read() {
        for (text, expected) in [
            ("1", Value::Integer(1)),
            ("1.", Value::Float(1.0)),
            (".5", Value::Float(0.5)),
            ("1e-3", Value::Float(1e-3)),
            ("1_000", Value::Integer(1000)),
            ("True", Value::Bool(true)),
            ("None", Value::None),
            ("'a' \"b\"", Value::Text("ab".into())),
            (r"r'c'", Value::Text("c".into())),
            (r#""it's \"x\"""#, Value::Text("it's \"x\"".into())),
            ("'''a\nb'''", Value::Text("a\nb".into())),
            ("()", Value::Sequence(vec![])),
            ("(1,)", Value::Sequence(vec![Value::Integer(1)])),
            (
                "[1, (2, 3),]",
                Value::Sequence(vec![Value::Integer(1), Value::Sequence(vec![Value::Integer(2), Value::Integer(3)])]),
            ),
            ("{'a': 1}", Value::Dictionary(vec![("a".into(), Value::Integer(1))])),
            ("cv2.BORDER_REFLECT", Value::Name("cv2.BORDER_REFLECT".into())),
            ("lambda x, y=(1, 2): x[0, 1] + f(y), 3", Value::Function),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn arithmetic_is_pythons() {
        for (text, expected) in [
            ("30 / 180", Value::Float(30.0 / 180.0)),
            ("1./255", Value::Float(1.0 / 255.0)),
            ("-3", Value::Integer(-3)),
            ("2 + 3 * 4", Value::Integer(14)),
            ("(2 + 3) * 4", Value::Integer(20)),
            ("10 - 2 - 3", Value::Integer(5)),
            ("-2 ** 2", Value::Integer(-4)),
            ("2 ** -1", Value::Float(0.5)),
            ("7 // 2", Value::Integer(3)),
            ("-7 // 2", Value::Integer(-4)),
            ("-7 % 3", Value::Integer(2)),
            ("4 / 2", Value::Float(2.0)),
            ("--1", Value::Integer(1)),
            ("math.pi / 2", Value::Float(std::f64::consts::FRAC_PI_2)),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn calls_are_found_between_other_code() {
        let source = "from a import f\n# f(1)\ntext = 'f(2)'\ndef f(x): pass\n\nx = {**y, 'k': z[1:2]}\n\
                      a = module.f(  # first\n    3,\n    key=[1, 2],\n)\nother.g(f(f(4)))\n";
        let calls = find_calls(source, &["f"]).unwrap();
        assert_eq!(calls.len(), 2);
        assert_eq!((calls[0].name.as_str(), calls[0].position), ("module.f", Some(Position { line: 7, column: 5 })));
        assert_eq!(calls[0].arguments[1].name.as_deref(), Some("key"));
        assert_eq!(calls[0].arguments[1].position, Some(Position { line: 9, column: 5 }));
        assert!(matches!(&calls[1].arguments[0].value, Value::Call(call) if call.name == "f"));
    }

    #[test]
    fn what_is_not_a_literal_is_an_error_with_its_place() {
        assert_eq!(error("f(\n  x[0])"), "line 2, column 4: expected a comma or a closing bracket, found '['");
        assert_eq!(error("f(1"), "line 1, column 4: expected a comma or a closing bracket, found the end");
        assert_eq!(error("f('a"), "line 1, column 5: expected the end of the text, found the end");
        assert_eq!(error("f(**x)"), "line 1, column 3: expected a literal, a name or a call, found '*'");
        assert_eq!(error("f(2 * x)"), "line 1, column 5: expected numbers on both sides, found x");
        assert_eq!(error("f(1 / 0)"), "line 1, column 5: expected a finite result, found inf");
        assert_eq!(error("f(12ab)"), "line 1, column 3: expected a number, found 12ab");
        assert_eq!(error("f({1: 2})"), "line 1, column 4: expected a text as the key, found '1'");
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_an_overflow() {
        for (open, close) in [("[", "]"), ("(", ")"), ("f(", ")"), ("-", ""), ("2**", ""), ("{'a':", "}")] {
            let source = format!("f({}1{})", open.repeat(100_000), close.repeat(100_000));
            let error = find_calls(&source, &["f"]).unwrap_err();
            assert!(matches!(error, TranslateError::TooDeep { limit: MAX_DEPTH, .. }), "{open}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(source in ".*", inside in r#"[-+*/%(){}\[\],:='"\\#. \n0-9a-f]{0,60}"#) {
            let _ = find_calls(&source, &["f"]);
            let _ = find_calls(&format!("f({inside})"), &["f"]);
            let _ = find_calls(&inside, &["a", "b", "c", "d", "e", "f"]);
        }

        #[test]
        fn every_float_reads_back(number in any::<f64>().prop_filter("finite", |number| number.is_finite())) {
            let read = crate::translate::call::number(&value(&format!("{number:?}")));
            prop_assert_eq!(read, Some(number));
        }
    }
}
