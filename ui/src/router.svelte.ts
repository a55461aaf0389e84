// Hash routes: `#/accounts`, `#/accounts/acc_…`. Names are shared with deep links and notifications of the shell.

export const SCREENS = [
  'overview',
  'accounts',
  'requests',
  'usage',
  'models',
  'clients',
  'playground',
  'settings',
  'onboarding',
] as const;
export type Screen = (typeof SCREENS)[number];

export interface Route {
  screen: Screen;
  /** What of that screen: an id, a section. */
  id: string | null;
}

/** The route of a hash. Whatever is not known leads to the overview. */
export function parse(hash: string): Route {
  const [name = '', id = ''] = hash.replace(/^#\/?/, '').split('/');
  const known = SCREENS.find((screen) => screen === name);
  if (known === undefined) return { screen: 'overview', id: null };
  return { screen: known, id: decoded(id) };
}

/** The address of a route, for links. */
export function href(screen: Screen, id?: string): string {
  return id === undefined ? `#/${screen}` : `#/${screen}/${encodeURIComponent(id)}`;
}

function decoded(part: string): string | null {
  try {
    return part === '' ? null : decodeURIComponent(part);
  } catch {
    return null;
  }
}

class Router {
  route = $state<Route>({ screen: 'overview', id: null });

  /** Follows the address bar from now on. */
  start(): void {
    const follow = () => (this.route = parse(location.hash));
    addEventListener('hashchange', follow);
    follow();
  }

  go(screen: Screen, id?: string): void {
    location.hash = href(screen, id);
  }

  /** The same without a step to go back over: for one after the other in a list. */
  replace(screen: Screen, id?: string): void {
    location.replace(href(screen, id));
  }
}

export const router = new Router();
