// What the host of this page can do beyond a browser. In a browser that is nothing, and the page goes without.

import * as tauri from './tauri';
import * as web from './web';

/** How the gateway stands, as the shell sees it. */
export interface ShellState {
  phase: 'starting' | 'running' | 'stopping' | 'stopped' | 'failed';
  trouble: 'port_taken' | 'other_owner' | 'broken' | 'other' | null;
  /** What happened, in a sentence. */
  message: string | null;
  /** The port that is taken. */
  port: number | null;
  /** Where the gateway is, ours or the other one. */
  url: string | null;
  tries_again: boolean;
  demo: boolean;
  version: string;
  platform: 'linux' | 'macos' | 'windows';
  /** The window shows what is behind it, where the page lets it. */
  translucent: boolean;
}

/** Starting with the login of the person. */
export interface Autostart {
  on: boolean;
  /** It can be switched here. */
  can: boolean;
  /** Why it cannot, or what went wrong. */
  why: string | null;
}

/** A shortcut that is set, and how it fares. */
export interface Shortcut {
  does: 'dashboard' | 'switch';
  keys: string;
  /** Why it does not work. */
  problem: string | null;
}

/** How it stands with updates. */
export interface Update {
  stage: 'off' | 'idle' | 'checking' | 'available' | 'downloading' | 'installing';
  /** Why nothing is looked for, or what went wrong last. */
  why: string | null;
  /** The newer version. */
  version: string | null;
  notes: string | null;
  checked_at: string | null;
  percent: number | null;
}

export interface Platform {
  shellState(): Promise<ShellState>;
  /** Calls whenever the state changes; the answer ends it. */
  onShellState(tell: (state: ShellState) => void): Promise<() => void>;
  startGateway(): Promise<void>;
  stopGateway(): Promise<void>;
  /** The session has ended: the shell opens the dashboard anew, in the same place. */
  renewSession(): Promise<void>;
  setPort(port: number): Promise<void>;
  setDemo(on: boolean): Promise<void>;
  /** The sign-in page of an attempt: in a window of the shell, or in the browser if the person chose that. */
  openSignIn(id: string): Promise<'window' | 'browser'>;
  /** The same, in the person's browser. */
  signInInBrowser(id: string): Promise<void>;
  /** Calls when an attempt goes on in the browser, because the person said so in its window. */
  onSignInInBrowser(tell: (id: string) => void): Promise<() => void>;
  openExternal(url: string): Promise<void>;
  reveal(what: 'data' | 'logs'): Promise<void>;
  autostart(): Promise<Autostart>;
  setAutostart(on: boolean): Promise<Autostart>;
  shortcuts(): Promise<Shortcut[]>;
  onShortcuts(tell: (states: Shortcut[]) => void): Promise<() => void>;
  updateState(): Promise<Update>;
  checkUpdate(): Promise<Update>;
  /** Shows what is new, and installs it if the person agrees. */
  installUpdate(): Promise<void>;
  onUpdate(tell: (state: Update) => void): Promise<() => void>;
  quit(): Promise<void>;
}

/** Whether this page is shown by the desktop shell. */
export const inShell: boolean = tauri.isThere();

export const platform: Platform = inShell ? tauri.platform : web.platform;
