// The desktop shell, by Tauri's IPC: the commands of src-tauri/src/commands.rs. No other file names it.

import { invoke, isTauri } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import type { Autostart, Platform, ShellState, Shortcut, Update } from './index';

export const isThere = (): boolean => typeof window !== 'undefined' && isTauri();

/** Where events are not for this page, it asks now and then. */
const ASKS_EVERY = 1_000;

async function follow<T>(event: string, ask: () => Promise<T>, tell: (state: T) => void): Promise<() => void> {
  try {
    return await listen<T>(event, ({ payload }) => tell(payload));
  } catch {
    const timer = setInterval(() => void ask().then(tell, () => {}), ASKS_EVERY);
    return () => clearInterval(timer);
  }
}

export const platform: Platform = {
  shellState: () => invoke<ShellState>('shell_state'),
  onShellState: (tell) => follow('shell://state', platform.shellState, tell),
  startGateway: () => invoke('start_gateway'),
  stopGateway: () => invoke('stop_gateway'),
  renewSession: () => invoke('renew_session'),
  setPort: (port) => invoke('set_port', { port }),
  setDemo: (on) => invoke('set_demo', { on }),
  openSignIn: (id) => invoke('open_sign_in', { id }),
  signInInBrowser: (id) => invoke('sign_in_in_browser', { id }),
  onSignInInBrowser: (tell) => listen<string>('shell://sign-in-in-browser', ({ payload }) => tell(payload)),
  openExternal: (url) => invoke('open_external', { url }),
  reveal: (what) => invoke('reveal', { what }),
  autostart: () => invoke<Autostart>('autostart_state'),
  setAutostart: (on) => invoke<Autostart>('set_autostart', { on }),
  shortcuts: () => invoke<Shortcut[]>('shortcut_states'),
  onShortcuts: (tell) => follow('shell://shortcuts', platform.shortcuts, tell),
  updateState: () => invoke<Update>('update_state'),
  checkUpdate: () => invoke<Update>('check_update'),
  installUpdate: () => invoke('install_update'),
  onUpdate: (tell) => follow('shell://update', platform.updateState, tell),
  quit: () => invoke('quit_app'),
};
