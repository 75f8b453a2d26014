//! Names from strangers, made harmless for each format.

/// The text with control characters, which could move a terminal's cursor or break an XML file, shown as `�`.
pub fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// The text for the body or a quoted attribute of HTML and SVG.
pub fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The text for a Markdown paragraph or table cell, where no character of it has a meaning.
pub fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in visible(text).chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '|' | '#' | '~') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_has_no_tag_and_no_quote_left() {
        let escaped = html(r#"<script>alert("x" & 'y')</script>"#);
        assert_eq!(escaped, "&lt;script&gt;alert(&quot;x&quot; &amp; &#39;y&#39;)&lt;/script&gt;");
    }

    #[test]
    fn markdown_keeps_a_cell_in_its_row() {
        assert_eq!(markdown("a|b\n<b>_c_"), r"a\|b�\<b\>\_c\_");
    }

    #[test]
    fn control_characters_are_shown_and_letters_kept() {
        assert_eq!(visible("\u{1b}[2Jchaîne 猫\0"), "�[2Jchaîne 猫�");
    }
}
