//! Plugins without their scripts.
//!
//! Some plugins put a script into every page of every window: one catches clicks on links to open them by asking us, another
//! replaces the page's notifications. Our pages ask for what they need by name, and in the page of an identity host nothing of
//! ours has any business.

use std::error::Error;

use tauri::ipc::Invoke;
use tauri::plugin::{Plugin, TauriPlugin};
use tauri::webview::PageLoadPayload;
use tauri::{AppHandle, RunEvent, Url, Webview, Window, Wry};

/// The plugin, as it is but for its script.
pub(crate) fn without_script<C: serde::de::DeserializeOwned + Send>(plugin: TauriPlugin<Wry, C>) -> impl Plugin<Wry> {
    Plain(plugin)
}

struct Plain<P>(P);

#[expect(clippy::disallowed_types, reason = "the trait passes its configuration on as a value")]
impl<P: Plugin<Wry>> Plugin<Wry> for Plain<P> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn initialize(&mut self, app: &AppHandle, config: serde_json::Value) -> Result<(), Box<dyn Error>> {
        self.0.initialize(app, config)
    }

    fn window_created(&mut self, window: Window) {
        self.0.window_created(window);
    }

    fn webview_created(&mut self, webview: Webview) {
        self.0.webview_created(webview);
    }

    fn on_navigation(&mut self, webview: &Webview, url: &Url) -> bool {
        self.0.on_navigation(webview, url)
    }

    fn on_page_load(&mut self, webview: &Webview, payload: &PageLoadPayload<'_>) {
        self.0.on_page_load(webview, payload);
    }

    fn on_event(&mut self, app: &AppHandle, event: &RunEvent) {
        self.0.on_event(app, event);
    }

    fn extend_api(&mut self, invoke: Invoke<Wry>) -> bool {
        self.0.extend_api(invoke)
    }
}

#[cfg(test)]
mod tests {
    use super::without_script;
    use tauri::plugin::Plugin as _;

    #[test]
    fn the_script_is_left_out_and_the_rest_stays() {
        let plain = tauri_plugin_opener::init::<tauri::Wry>();
        assert!(plain.initialization_script().is_some(), "nothing would have to be left out");
        let ours = without_script(plain);
        assert_eq!(ours.name(), "opener");
        assert!(ours.initialization_script().is_none() && ours.initialization_script_2().is_none());
    }
}
