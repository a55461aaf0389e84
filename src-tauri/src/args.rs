//! What was typed, or what the system starts us with.

/// Codeferry in the tray.
#[derive(Debug, Clone, Default, clap::Parser)]
#[command(
    name = "codeferry-desktop",
    version,
    about = "Codeferry in the tray: the gateway, its accounts and its dashboard"
)]
pub struct Args {
    /// Start in the tray alone, without a window: how it is started at login
    #[arg(long)]
    pub hidden: bool,
    /// Answer from the embedded demo account; nothing leaves this machine
    #[arg(long)]
    pub demo: bool,
    /// The port to listen on [default: the setting `port`]
    #[arg(long)]
    pub port: Option<u16>,
    /// A link to a screen, `codeferry://accounts` for example
    #[arg(value_name = "LINK")]
    pub link: Option<String>,
}
