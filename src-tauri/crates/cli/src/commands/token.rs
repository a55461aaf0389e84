//! `codeferry token`.

use crate::commands::{Context, Outcome};
use crate::failure::Exit;

pub(crate) async fn run(context: &Context) -> Outcome {
    context.print.data(&codeferry_app::control_token(&context.paths)?.expose())?;
    Ok(Exit::Done)
}
