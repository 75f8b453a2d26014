//! [`Pool2dOptions`]: how max and average pooling move their windows.

use crate::error::NnError;
use crate::kernel::pool2d::Geometry;

/// How [`max_pool2d`](crate::max_pool2d) and [`avg_pool2d`](crate::avg_pool2d) move their windows.
///
/// Rows and columns at the end that do not fill a window are left out: of `height` rows there come
/// `(height + top + bottom - window) / stride + 1`, rounded down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2dOptions {
    /// Rows and columns of a window.
    pub window: [usize; 2],
    /// The step between windows, down and across.
    pub stride: [usize; 2],
    /// Rows or columns added at the top, bottom, left and right.
    pub padding: [usize; 4],
}

impl Pool2dOptions {
    /// Squares of side `window` that do not overlap, without padding.
    pub fn square(window: usize) -> Self {
        Self { window: [window; 2], stride: [window; 2], padding: [0; 4] }
    }

    /// The sizes of this pooling of a batch of shape `x`, for `op`.
    pub(crate) fn geometry(self, op: &'static str, x: &[usize]) -> Result<Geometry, NnError> {
        let Self { window, stride, padding } = self;
        let wrong = |what: &str| {
            let settings = format!("window {window:?}, stride {stride:?}, padding {padding:?}");
            NnError::shape(op, format!("{what} (x {x:?}, {settings})"))
        };
        let &[n, height, width, channels] = x else { return Err(wrong("x must be NHWC")) };
        if [n, height, width, channels].contains(&0) {
            return Err(wrong("a dimension is empty"));
        }
        if window.contains(&0) || stride.contains(&0) {
            return Err(wrong("window and stride must be at least 1"));
        }
        if window[0].checked_mul(window[1]).is_none_or(|area| area > 1 << 16) {
            return Err(wrong("a window may have at most 65,536 pixels"));
        }
        let [top, bottom, left, right] = padding;
        let rows = Line { size: height, before: top, after: bottom, window: window[0], stride: stride[0] };
        let columns = Line { size: width, before: left, after: right, window: window[1], stride: stride[1] };
        for line in [rows, columns] {
            let Some(windows) = line.windows() else {
                return Err(wrong("the window does not fit the padded image"));
            };
            if line.before >= line.window || (windows - 1) * line.stride >= line.size + line.before {
                return Err(wrong("a window lies fully in the padding"));
            }
        }
        Ok(Geometry { input: [height, width, channels], window, stride, padding })
    }
}

/// One axis of a pooling.
struct Line {
    size: usize,
    before: usize,
    after: usize,
    window: usize,
    stride: usize,
}

impl Line {
    /// How many windows there are, if one fits.
    fn windows(&self) -> Option<usize> {
        let padded = self.size.checked_add(self.before)?.checked_add(self.after)?;
        Some(padded.checked_sub(self.window)? / self.stride + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Pool2dOptions = Pool2dOptions { window: [3, 3], stride: [2, 2], padding: [1; 4] };

    #[track_caller]
    fn assert_refused(options: Pool2dOptions, x: &[usize], reason: &str) {
        let message = options.geometry("max_pool2d", x).unwrap_err().to_string();
        assert!(message.starts_with("max_pool2d: ") && message.contains(reason), "{message}");
        assert!(message.contains(&format!("x {x:?}, window")), "{message}");
    }

    #[test]
    fn sizes_follow_the_textbook() {
        assert_eq!(PLAIN.geometry("max_pool2d", &[2, 112, 113, 8]).unwrap().output(), [56, 57, 8]);
        assert_eq!(Pool2dOptions::square(2).geometry("max_pool2d", &[2, 7, 4, 8]).unwrap().output(), [3, 2, 8]);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let square = Pool2dOptions::square;
        assert_refused(square(2), &[1, 4, 4], "x must be NHWC");
        assert_refused(square(2), &[0, 4, 4, 1], "a dimension is empty");
        assert_refused(square(0), &[1, 4, 4, 1], "must be at least 1");
        assert_refused(Pool2dOptions { stride: [1, 0], ..PLAIN }, &[1, 4, 4, 1], "must be at least 1");
        assert_refused(square(2), &[1, 1, 4, 1], "does not fit the padded image");
        assert_refused(square(usize::MAX), &[1, 4, 4, 1], "at most 65,536 pixels");
        assert_refused(Pool2dOptions { padding: [3, 0, 0, 0], ..PLAIN }, &[1, 4, 4, 1], "fully in the padding");
        assert_refused(Pool2dOptions { padding: [0, 0, 0, 5], ..PLAIN }, &[1, 4, 4, 1], "fully in the padding");
        let huge = Pool2dOptions { padding: [usize::MAX; 4], ..PLAIN };
        assert_refused(huge, &[1, 4, 4, 1], "does not fit the padded image");
    }
}
