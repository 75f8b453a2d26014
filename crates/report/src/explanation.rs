//! [`ExplanationReport`]: what a network sees in an image, or in several, as a page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::escape;
use crate::page::page;

/// What a network sees: one page of pictures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExplanationReport {
    /// The headline.
    pub title: String,
    /// Names and values, such as the model.
    pub facts: Vec<(String, String)>,
    /// The image as the network gets it.
    pub image: Option<PagePicture>,
    /// Classes with their probabilities, in the order in which they are to be shown.
    pub probabilities: Vec<(String, f32)>,
    /// The maps, layer by layer.
    pub sections: Vec<PictureSection>,
}

/// Pictures that belong together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PictureSection {
    /// Its heading, such as a layer's name.
    pub heading: String,
    /// What is seen and how it is to be read.
    pub note: String,
    /// The pictures, side by side.
    pub pictures: Vec<PagePicture>,
}

/// A picture on a page.
#[derive(Clone, Debug, PartialEq)]
pub struct PagePicture {
    /// What stands under it.
    pub caption: String,
    /// A JPEG file, of which a page of many pictures holds a fraction of the bytes that PNG files would be.
    pub jpeg: Vec<u8>,
}

/// What the page adds to the style of all pages: bars of probabilities, and pictures in their own size.
const STYLE: &str = "<style>\n.maps figure img { width: auto; height: auto; image-rendering: auto; }\n\
                     .maps figure { max-width: 100%; overflow-x: auto; }\n</style>\n";

impl ExplanationReport {
    /// One HTML file that needs no network and no script, and follows the reader's light or dark setting.
    pub fn to_html(&self) -> String {
        let fact = |(name, value): &(String, String)| {
            format!("<dt>{}</dt><dd>{}</dd>\n", escape::html(name), escape::html(value))
        };
        let facts: String = self.facts.iter().map(fact).collect();
        let image = self.image.as_ref().map(PagePicture::to_html).unwrap_or_default();
        let body = [
            STYLE.to_owned(),
            format!("<h1>{}</h1>\n<dl>\n{facts}</dl>\n", escape::html(&self.title)),
            format!("<div class=\"maps cards\">\n{image}{}</div>\n", self.bars()),
            self.sections.iter().map(PictureSection::to_html).collect(),
        ];
        page(&self.title, &body.concat())
    }

    /// A bar a class.
    fn bars(&self) -> String {
        if self.probabilities.is_empty() {
            return String::new();
        }
        let row = |(class, probability): &(String, f32)| {
            format!(
                "<tr><th scope=\"row\">{}</th><td class=\"number\">{probability:.3}</td><td><i style=\"width:{:.1}%\"></i></td></tr>\n",
                escape::html(class),
                100.0 * probability.clamp(0.0, 1.0)
            )
        };
        let rows: String = self.probabilities.iter().map(row).collect();
        format!("<table class=\"bars\" style=\"width:22rem;align-self:start\">\n<tbody>\n{rows}</tbody>\n</table>\n")
    }
}

impl PictureSection {
    fn to_html(&self) -> String {
        let pictures: String = self.pictures.iter().map(PagePicture::to_html).collect();
        format!(
            "<h2>{}</h2>\n<p class=\"note\">{}</p>\n<div class=\"maps cards\">\n{pictures}</div>\n",
            escape::html(&self.heading),
            escape::html(&self.note)
        )
    }
}

impl PagePicture {
    fn to_html(&self) -> String {
        let (caption, data) = (escape::html(&self.caption), STANDARD.encode(&self.jpeg));
        format!(
            "<figure><div><img alt=\"{caption}\" src=\"data:image/jpeg;base64,{data}\"></div>\
             <figcaption>{caption}</figcaption></figure>\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(name: &str) -> ExplanationReport {
        let picture = PagePicture { caption: name.to_owned(), jpeg: b"\xff\xd8\xff\xe0".to_vec() };
        let section =
            PictureSection { heading: name.to_owned(), note: name.to_owned(), pictures: vec![picture.clone(); 2] };
        ExplanationReport {
            title: name.to_owned(),
            facts: vec![(name.to_owned(), name.to_owned())],
            image: Some(picture),
            probabilities: vec![(name.to_owned(), 0.75), ("dog".to_owned(), 0.25)],
            sections: vec![section],
        }
    }

    #[test]
    fn the_page_lines_pictures_up_and_needs_nothing_from_elsewhere() {
        let html = example("conv4").to_html();
        assert_eq!(html.matches("data:image/jpeg;base64,/9j/4A==\"").count(), 3);
        assert!(html.contains("<td class=\"number\">0.750</td><td><i style=\"width:75.0%\">"));
        assert!(!html.contains("http") && !html.contains("<script") && !html.contains("<link"));
    }

    #[test]
    fn names_from_strangers_cannot_become_markup() {
        let html = example("<script>\"'&\u{1b}").to_html();
        assert!(!html.contains("<script") && !html.contains('\u{1b}'), "{html}");
    }

    #[test]
    fn a_page_may_have_no_image_and_no_probabilities() {
        let html = ExplanationReport::default().to_html();
        assert!(!html.contains("<img") && !html.contains("<table"));
    }
}
