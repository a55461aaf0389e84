//! The icon's pixels: a drawing by its state, in an ink that can be read where it stands, with two bars if they are wished for.
//!
//! The drawings are masks, black with alpha (`icons/tray`). macOS takes them as they are and colours them itself; elsewhere
//! they are coloured here. The state is told by the shape; colour only says it once more.

use codeferry_app::TrayInk;

use super::state::{Picture, Shape};

/// A drawing: alpha alone counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mask<'a> {
    /// Four bytes for each pixel.
    pub(crate) rgba: &'a [u8],
    pub(crate) width: usize,
    pub(crate) height: usize,
}

/// What it is drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Black; the system makes of it what suits.
    Template,
    /// For dark panels.
    Light,
    /// For light panels.
    Dark,
    /// Light, with a dark edge: for panels that nobody knows the colour of.
    Edged,
}

/// The colours of one kind of panel, as red, green and blue.
struct Colours {
    plain: [u8; 3],
    warn: [u8; 3],
    error: [u8; 3],
}

/// The colour roles of the dashboard: ink, warn and bad, on its two canvases.
const ON_DARK: Colours = Colours { plain: [0xE8, 0xED, 0xF2], warn: [0xE2, 0xB0, 0x4A], error: [0xF0, 0x7B, 0x74] };
const ON_LIGHT: Colours = Colours { plain: [0x12, 0x16, 0x1C], warn: [0x9A, 0x64, 0x00], error: [0xB9, 0x3A, 0x34] };
const BLACK: Colours = Colours { plain: [0; 3], warn: [0; 3], error: [0; 3] };
/// How much of a drawing is left while nothing runs.
const FAINT: u32 = 45;
/// How dark the edge is, of 255.
const EDGE: u32 = 210;
/// From this row on the drawings are water, and may be given to bars (`icons/tray/idle.svg`).
const WATER: usize = 24;
/// The rows of the bars, and the columns they go over.
const BARS: [std::ops::Range<usize>; 2] = [26..30, 32..36];
const COLUMNS: std::ops::Range<usize> = 2..34;
/// How much of a bar can be seen where nothing is used, of 255.
const TRACK: u8 = 84;
/// From here on a bar warns.
const HIGH: u8 = 90;

// === impl Ink ===

impl Ink {
    /// What is chosen, or what suits the system.
    pub(crate) fn chosen(ink: TrayInk, light_panel: Option<bool>) -> Self {
        match ink {
            _ if cfg!(target_os = "macos") => Self::Template,
            TrayInk::Light => Self::Light,
            TrayInk::Dark => Self::Dark,
            TrayInk::Auto => match light_panel {
                Some(true) => Self::Dark,
                Some(false) => Self::Light,
                None => Self::Edged,
            },
        }
    }

    fn colours(self) -> &'static Colours {
        match self {
            Self::Template => &BLACK,
            Self::Light | Self::Edged => &ON_DARK,
            Self::Dark => &ON_LIGHT,
        }
    }
}

/// The icon, four bytes for each pixel: red, green, blue, alpha.
pub(crate) fn compose(mask: Mask<'_>, picture: Picture, ink: Ink) -> Vec<u8> {
    let Mask { rgba, width, height } = mask;
    let colours = ink.colours();
    let colour = match picture.shape {
        Shape::Idle | Shape::Active => colours.plain,
        Shape::Warn => colours.warn,
        Shape::Error => colours.error,
    };
    let mut pixels: Vec<([u8; 3], u8)> =
        rgba.chunks_exact(4).take(width * height).map(|pixel| (colour, pixel[3])).collect();
    if let Some(bars) = picture.bars {
        pixels.iter_mut().skip(WATER * width).for_each(|pixel| pixel.1 = 0);
        for (rows, used) in BARS.into_iter().zip(bars) {
            let Some(used) = used else { continue };
            let colour = match used {
                100.. => colours.error,
                HIGH.. => colours.warn,
                _ => colours.plain,
            };
            let full = COLUMNS.start + filled(used);
            for (row, column) in rows.flat_map(|row| COLUMNS.map(move |column| (row, column))) {
                if let Some(pixel) = pixels.get_mut(row * width + column).filter(|_| column < width) {
                    *pixel = (colour, if column < full { u8::MAX } else { TRACK });
                }
            }
        }
    }
    if picture.faint {
        pixels.iter_mut().for_each(|pixel| pixel.1 = share(pixel.1, FAINT, 100));
    }
    let edge = (ink == Ink::Edged).then(|| edge(&pixels, width));
    let mut icon = Vec::with_capacity(pixels.len() * 4);
    for (at, (colour, alpha)) in pixels.into_iter().enumerate() {
        let under = edge.as_ref().and_then(|edge| edge.get(at)).copied().unwrap_or(0);
        icon.extend(over(colour, alpha, ON_LIGHT.plain, under));
    }
    icon
}

/// How many columns of a bar are full: at least one of what is used at all, and all of them only at the end.
fn filled(used: u8) -> usize {
    let columns = COLUMNS.len();
    match used {
        0 => 0,
        100.. => columns,
        used => (usize::from(used) * columns / 100).clamp(1, columns - 1),
    }
}

/// A shadow of a pixel's width around what is drawn.
fn edge(pixels: &[([u8; 3], u8)], width: usize) -> Vec<u8> {
    let alpha = |row: usize, column: usize| {
        if column < width { pixels.get(row * width + column).map_or(0, |pixel| pixel.1) } else { 0 }
    };
    (0..pixels.len())
        .map(|at| {
            let (row, column) = (at / width, at % width);
            let around = (row.saturating_sub(1)..=row + 1)
                .flat_map(|row| (column.saturating_sub(1)..=column + 1).map(move |column| (row, column)));
            let darkest = around.map(|(row, column)| alpha(row, column)).max().unwrap_or(0);
            share(darkest, EDGE, 255)
        })
        .collect()
}

/// One colour over another, with straight alpha.
fn over(colour: [u8; 3], alpha: u8, under: [u8; 3], under_alpha: u8) -> [u8; 4] {
    let below = share(under_alpha, 255 - u32::from(alpha), 255);
    let total = u32::from(alpha) + u32::from(below);
    if total == 0 {
        return [0; 4];
    }
    let mix = |a: u8, b: u8| byte((u32::from(a) * u32::from(alpha) + u32::from(b) * u32::from(below)) / total);
    let [r, g, b] = [0, 1, 2].map(|part| mix(colour[part], under[part]));
    [r, g, b, byte(total)]
}

fn share(value: u8, part: u32, of: u32) -> u8 {
    byte(u32::from(value) * part / of)
}

fn byte(value: u32) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use codeferry_app::TrayInk;

    use super::{EDGE, Ink, Mask, ON_DARK, TRACK, compose};
    use crate::tray::state::{Picture, Shape};

    const SIDE: usize = 36;

    /// A block of ink in the middle of where the ferry is.
    fn mask() -> Vec<u8> {
        let inked = |at: usize| (8..16).contains(&(at / SIDE)) && (10..20).contains(&(at % SIDE));
        (0..SIDE * SIDE).flat_map(|at| [0, 0, 0, if inked(at) { 255 } else { 0 }]).collect()
    }

    fn icon(picture: Picture, ink: Ink) -> Vec<u8> {
        let rgba = mask();
        let icon = compose(Mask { rgba: &rgba, width: SIDE, height: SIDE }, picture, ink);
        assert_eq!(icon.len(), rgba.len());
        icon
    }

    fn pixel(icon: &[u8], row: usize, column: usize) -> [u8; 4] {
        let at = (row * SIDE + column) * 4;
        icon[at..at + 4].try_into().expect("four bytes")
    }

    const PLAIN: Picture = Picture { shape: Shape::Idle, faint: false, bars: None };

    #[test]
    fn a_template_is_the_mask_itself() {
        assert_eq!(icon(PLAIN, Ink::Template), mask());
    }

    #[test]
    fn ink_colours_what_is_drawn_and_nothing_else() {
        let [r, g, b] = ON_DARK.plain;
        let light = icon(PLAIN, Ink::Light);
        assert_eq!(pixel(&light, 10, 12), [r, g, b, 255]);
        assert_eq!(pixel(&light, 10, 20), [0; 4], "no edge");
        let [r, g, b] = ON_DARK.error;
        assert_eq!(pixel(&icon(Picture { shape: Shape::Error, ..PLAIN }, Ink::Light), 10, 12), [r, g, b, 255]);
        let faint = pixel(&icon(Picture { faint: true, ..PLAIN }, Ink::Light), 10, 12);
        assert!(faint[3] > 80 && faint[3] < 160, "{faint:?}");
    }

    #[test]
    fn an_edge_goes_around_what_is_drawn() {
        let edged = icon(PLAIN, Ink::Edged);
        let [r, g, b] = ON_DARK.plain;
        assert_eq!(pixel(&edged, 10, 12), [r, g, b, 255]);
        let around = pixel(&edged, 10, 20);
        assert_eq!(u32::from(around[3]), EDGE);
        assert!(around[..3].iter().all(|part| *part < 0x20), "{around:?}");
        assert_eq!(pixel(&edged, 10, 21), [0; 4]);
    }

    #[test]
    fn bars_fill_with_what_is_used() {
        let row = |used: Option<u8>, row: usize| {
            let icon = icon(Picture { bars: Some([used, Some(100)]), ..PLAIN }, Ink::Light);
            let of = |alpha: u8| (0..SIDE).filter(|&column| pixel(&icon, row, column)[3] == alpha).count();
            (of(255), of(TRACK))
        };
        assert_eq!(row(None, 27), (0, 0), "a window that is not there has no bar");
        assert_eq!(row(Some(0), 27), (0, 32));
        assert_eq!(row(Some(1), 27), (1, 31));
        assert_eq!(row(Some(50), 29), (16, 16));
        assert_eq!(row(Some(99), 27), (31, 1));
        assert_eq!(row(Some(100), 27), (32, 0));
        assert_eq!(row(Some(50), 33), (32, 0), "the other one");
        assert_eq!(row(Some(50), 31), (0, 0), "nothing between them");
    }

    #[test]
    fn a_mask_of_another_size_is_no_harm() {
        let rgba = [255; 4 * 4 * 4];
        let picture = Picture { bars: Some([Some(50), Some(50)]), ..PLAIN };
        assert_eq!(compose(Mask { rgba: &rgba, width: 4, height: 4 }, picture, Ink::Edged).len(), rgba.len());
    }

    #[test]
    #[cfg(not(target_os = "macos"))]
    fn what_is_chosen_counts_before_what_suits() {
        assert_eq!(Ink::chosen(TrayInk::Dark, Some(false)), Ink::Dark);
        assert_eq!(Ink::chosen(TrayInk::Light, None), Ink::Light);
        assert_eq!(Ink::chosen(TrayInk::Auto, None), Ink::Edged);
        assert_eq!(Ink::chosen(TrayInk::Auto, Some(true)), Ink::Dark);
        assert_eq!(Ink::chosen(TrayInk::Auto, Some(false)), Ink::Light);
    }
}
