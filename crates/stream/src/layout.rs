//! [`Layout`]: the form in which a batch's pixels lie in memory.

use aumenta_imgproc::{Channels, Layout as Order, Size};
use serde::{Deserialize, Serialize};

/// The type and the order of a batch's values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Normalized f32, `[images, height, width, channels]`: what the training kernels read.
    #[default]
    F32Nhwc,
    /// Normalized f32, `[images, channels, height, width]`: what PyTorch's convolutions read by default.
    F32Nchw,
    /// Bytes from 0 to 255, `[images, height, width, channels]`, a quarter of the memory: for a device that normalizes them
    /// itself.
    U8Nhwc,
}

impl Layout {
    /// Bytes of a value.
    pub const fn value_bytes(self) -> usize {
        match self {
            Self::F32Nhwc | Self::F32Nchw => 4,
            Self::U8Nhwc => 1,
        }
    }

    /// The order of the values of one image.
    pub(crate) const fn order(self) -> Order {
        match self {
            Self::F32Nhwc | Self::U8Nhwc => Order::Hwc,
            Self::F32Nchw => Order::Chw,
        }
    }
}

/// The form of one image of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows and columns.
    pub size: Size,
    /// What there is of each pixel.
    pub channels: Channels,
    /// The type and the order of the values.
    pub layout: Layout,
}

impl Shape {
    /// How many values an image has.
    pub const fn len(self) -> usize {
        self.size.width * self.size.height * self.channels.count()
    }

    /// Whether an image has no values at all.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// How many bytes an image has.
    pub const fn bytes(self) -> usize {
        self.len() * self.layout.value_bytes()
    }

    /// The dimensions of `images` images, in the layout's order.
    pub const fn dimensions(self, images: usize) -> [usize; 4] {
        let (Size { width, height }, channels) = (self.size, self.channels.count());
        match self.layout {
            Layout::F32Nhwc | Layout::U8Nhwc => [images, height, width, channels],
            Layout::F32Nchw => [images, channels, height, width],
        }
    }
}
