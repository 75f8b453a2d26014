//! The numbers of the book, with what is known about them: François Chollet, "Deep Learning with Python", 2017, chapter 5.

/// A published number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BookNumber {
    /// Where it stands.
    pub section: &'static str,
    /// What was trained.
    pub what: &'static str,
    /// What was measured.
    pub measured: &'static str,
    /// The accuracy.
    pub accuracy: f64,
    /// Whether a chart of validation accuracy of cats and dogs shows it.
    pub is_line: bool,
    /// What a reader must know of it.
    pub known: &'static str,
}

/// The numbers of the book, in its order.
pub const BOOK: [BookNumber; 8] = [
    BookNumber {
        section: "5.1",
        what: "convnet on MNIST",
        measured: "test",
        accuracy: 0.9913,
        is_line: false,
        known: "60,000 training images: no little data",
    },
    BookNumber {
        section: "5.2",
        what: "convnet, plain",
        measured: "validation, last of 30 epochs",
        accuracy: 0.724,
        is_line: true,
        known: "one run",
    },
    BookNumber {
        section: "5.2",
        what: "convnet, plain",
        measured: "validation, best of 30 epochs",
        accuracy: 0.731,
        is_line: false,
        known: "one run; the best of 30 is a little too good",
    },
    BookNumber {
        section: "5.2",
        what: "convnet, augmentation and dropout",
        measured: "validation, mean of the last ten of 100 epochs",
        accuracy: 0.830,
        is_line: true,
        known: "its validation draws 1,576 of 1,000 images, some of them twice, so its own error is larger than it looks; its shear \
                of 0.2 was in radians",
    },
    BookNumber {
        section: "5.3",
        what: "VGG16 features, dense layers on them",
        measured: "validation",
        accuracy: 0.903,
        is_line: true,
        known: "one run",
    },
    BookNumber {
        section: "5.3",
        what: "VGG16 \"frozen\", with augmentation",
        measured: "validation",
        accuracy: 0.96,
        is_line: false,
        known: "the base was not frozen, by a defect of Keras 2.0.8; it is about 0.90 when it is",
    },
    BookNumber {
        section: "5.3",
        what: "VGG16 frozen, with augmentation",
        measured: "validation",
        accuracy: 0.90,
        is_line: false,
        known: "not in the book: what its program comes to where freezing works; about",
    },
    BookNumber {
        section: "5.3",
        what: "VGG16, last block fine-tuned",
        measured: "test",
        accuracy: 0.968,
        is_line: false,
        known: "one run on 1,000 test images: 95% interval 0.955 to 0.977",
    },
];

#[cfg(test)]
mod tests {
    use aumenta_metrics::{Z_95, wilson_interval};

    use super::*;

    #[test]
    fn the_interval_of_the_last_number_is_wilsons() {
        let (low, high) = wilson_interval(968, 1000, Z_95);
        assert!(BOOK[7].known.ends_with(&format!("{low:.3} to {high:.3}")), "{low} {high}");
    }

    #[test]
    fn lines_are_validation_accuracies() {
        assert!(BOOK.iter().filter(|number| number.is_line).all(|number| number.measured.starts_with("validation")));
    }
}
