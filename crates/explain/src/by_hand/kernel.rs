//! [`NamedKernel`]: filters that have a name.

use super::Volume;

/// A filter of 3x3 numbers that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedKernel {
    /// Bright on the left, dark on the right: columns of 1, 0 and -1 (Prewitt 1970).
    EdgeV,
    /// Bright above, dark below: rows of 1, 0 and -1.
    EdgeH,
    /// As [`EdgeV`](Self::EdgeV), the middle row twice as heavy (Sobel and Feldman 1968).
    SobelV,
    /// As [`EdgeH`](Self::EdgeH), the middle column twice as heavy.
    SobelH,
    /// A pixel against its neighbors, whatever their direction.
    Laplace,
    /// A pixel five times, less its four neighbors.
    Sharpen,
    /// The mean of the nine.
    Blur,
    /// Light from the upper left.
    Emboss,
}

impl NamedKernel {
    /// All of them, each with the name that users write.
    pub const ALL: [(&'static str, Self); 8] = [
        ("edge-v", Self::EdgeV),
        ("edge-h", Self::EdgeH),
        ("sobel-v", Self::SobelV),
        ("sobel-h", Self::SobelH),
        ("laplace", Self::Laplace),
        ("sharpen", Self::Sharpen),
        ("blur", Self::Blur),
        ("emboss", Self::Emboss),
    ];

    /// That of this name.
    ///
    /// ```
    /// use aumenta_explain::NamedKernel;
    ///
    /// let kernel = NamedKernel::named("edge-v").unwrap().volume();
    /// assert!(kernel.rows(0).all(|row| row == [1.0, 0.0, -1.0]));
    /// ```
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(known, kernel)| (known == name).then_some(kernel))
    }

    /// Its numbers.
    pub fn volume(self) -> Volume {
        let ninth = 1.0 / 9.0;
        let numbers: [[f64; 3]; 3] = match self {
            Self::EdgeV => [[1.0, 0.0, -1.0]; 3],
            Self::EdgeH => [[1.0; 3], [0.0; 3], [-1.0; 3]],
            Self::SobelV => [[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]],
            Self::SobelH => [[1.0, 2.0, 1.0], [0.0; 3], [-1.0, -2.0, -1.0]],
            Self::Laplace => [[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]],
            Self::Sharpen => [[0.0, -1.0, 0.0], [-1.0, 5.0, -1.0], [0.0, -1.0, 0.0]],
            Self::Blur => [[ninth; 3]; 3],
            Self::Emboss => [[-2.0, -1.0, 0.0], [-1.0, 1.0, 1.0], [0.0, 1.0, 2.0]],
        };
        Volume::new(3, 3, numbers.concat())
    }
}
