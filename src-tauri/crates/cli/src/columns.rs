//! Tables that fit: columns that matter less give way where there is no room, and long texts are cut.

/// A column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    /// Figures stand to the right.
    pub(crate) right: bool,
    /// Where there is no room, the lowest goes first.
    pub(crate) rank: u8,
    /// It may be cut to so many characters; 0: it is never cut.
    pub(crate) least: usize,
}

/// Where each column stands. Columns in which nothing stands are left out.
#[derive(Debug)]
pub(crate) struct Layout<const N: usize> {
    columns: [Column; N],
    widths: [Option<usize>; N],
}

const GAP: usize = 2;

// === impl Column ===

impl Column {
    /// A text that may be cut.
    pub(crate) const fn text(title: &'static str, rank: u8, least: usize) -> Self {
        Self { title, right: false, rank, least }
    }

    /// A figure, which never is.
    pub(crate) const fn figure(title: &'static str, rank: u8) -> Self {
        Self { title, right: true, rank, least: 0 }
    }
}

// === impl Layout ===

impl<const N: usize> Layout<N> {
    /// For these rows, in so many characters; `None`: as many as it takes.
    pub(crate) fn new(columns: [Column; N], rows: &[[String; N]], room: Option<usize>) -> Self {
        let natural: [usize; N] = std::array::from_fn(|at| {
            let widest = rows.iter().map(|row| row[at].chars().count()).max().unwrap_or_default();
            if widest == 0 { 0 } else { widest.max(columns[at].title.chars().count()) }
        });
        let mut shown: [bool; N] = natural.map(|width| width > 0);
        let room = room.unwrap_or(usize::MAX);
        let least = |at: usize| match columns[at].least {
            0 => natural[at],
            least => natural[at].min(least.max(columns[at].title.chars().count())),
        };
        let needed = |shown: &[bool; N]| {
            let widths = (0..N).filter(|at| shown[*at]).map(|at| least(at) + GAP);
            widths.sum::<usize>().saturating_sub(GAP)
        };
        while needed(&shown) > room {
            let lowest = (0..N).filter(|at| shown[*at]).min_by_key(|at| columns[*at].rank);
            match lowest {
                // The last one stays, whatever the room.
                Some(at) if shown.iter().filter(|shown| **shown).count() > 1 => shown[at] = false,
                _ => break,
            }
        }
        let mut spare = room.saturating_sub(needed(&shown));
        let mut widths: [Option<usize>; N] = std::array::from_fn(|at| shown[at].then(|| least(at)));
        // What is left goes to those that were cut, first to where little is missing: so most of them are whole.
        let mut order: Vec<usize> = (0..N).filter(|at| shown[*at]).collect();
        order.sort_by_key(|at| natural[*at] - least(*at));
        for at in order {
            let more = (natural[at] - least(at)).min(spare);
            widths[at] = Some(least(at) + more);
            spare -= more;
        }
        Self { columns, widths }
    }

    pub(crate) fn titles(&self) -> String {
        self.line(&self.columns.map(|column| column.title.to_owned()))
    }

    /// No line ends in a space.
    pub(crate) fn line(&self, row: &[String; N]) -> String {
        let cells = (0..N).filter_map(|at| {
            let width = self.widths[at]?;
            let cell = if self.columns[at].least > 0 { cut(&row[at], width) } else { row[at].clone() };
            Some(if self.columns[at].right { format!("{cell:>width$}") } else { format!("{cell:width$}") })
        });
        cells.collect::<Vec<_>>().join(&" ".repeat(GAP)).trim_end().to_owned()
    }

    /// Titles and rows.
    pub(crate) fn all(&self, rows: &[[String; N]]) -> String {
        let lines = rows.iter().map(|row| self.line(row));
        std::iter::once(self.titles()).chain(lines).collect::<Vec<_>>().join("\n")
    }
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    short + "…"
}

#[cfg(test)]
mod tests {
    use super::{Column, Layout};

    const COLUMNS: [Column; 4] = [
        Column::text("who", 3, 4),
        Column::text("empty", 9, 4),
        Column::figure("tokens", 2),
        Column::text("why", 1, 5),
    ];

    fn rows() -> [[String; 4]; 2] {
        let row = |cells: [&str; 4]| cells.map(str::to_owned);
        [row(["a long name", "", "12", "because of this"]), row(["b", "", "3456", ""])]
    }

    fn drawn(room: Option<usize>) -> String {
        Layout::new(COLUMNS, &rows(), room).all(&rows())
    }

    #[test]
    fn with_room_everything_stands_there_and_nothing_empty() {
        assert_eq!(drawn(None), "who          tokens  why\na long name      12  because of this\nb              3456");
    }

    #[test]
    fn without_room_texts_are_cut_and_columns_go() {
        assert_eq!(drawn(Some(26)), "who          tokens  why\na long name      12  beca…\nb              3456");
        assert_eq!(drawn(Some(18)), "who         tokens\na long na…      12\nb             3456");
        assert_eq!(drawn(Some(12)), "who   tokens\na l…      12\nb       3456");
        assert_eq!(drawn(Some(3)), "who\na l…\nb");
        for room in 8..60 {
            assert!(drawn(Some(room)).lines().all(|line| line.chars().count() <= room), "{room}");
        }
    }
}
