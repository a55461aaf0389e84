// Which settings have a place of their own, and which are left for the long list.

/** In the order in which they are shown. */
export const NETWORK = [
  'host',
  'allowed_hosts',
  'allowed_origins',
  'body_limit_mib',
  'streams_per_key',
  'requests_per_minute_per_key',
  'connect_timeout_seconds',
  'first_event_hold_seconds',
  'idle_timeout_seconds',
  'overall_deadline_seconds',
  'grace_seconds',
] as const;

const ELSEWHERE = new Set<string>([...NETWORK, 'port', 'rotation', 'request_log', 'log_file', 'compat']);
/** On the screen of the models. */
const ROUTES = /^(route|alias)\./;
/** In this screen, where the desktop app shows it. */
const DESKTOP = /^desktop\.(tray|notify|shortcut|sign_in$|updates$)/;

export const isLeft = (key: string, inShell: boolean): boolean =>
  !ELSEWHERE.has(key) && !ROUTES.test(key) && !(inShell && DESKTOP.test(key));
