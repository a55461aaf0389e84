// Hash routes: `#/accounts`, `#/accounts/acc_…`, `#/requests?outcome=failed`. Names are shared with deep links and notifications of the shell.

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
  /** What is looked for there, as in an address: `outcome=failed`. */
  query: string;
}

/** The route of a hash. Whatever is not known leads to the overview. */
export function parse(hash: string): Route {
  const [path = '', ...rest] = hash.replace(/^#\/?/, '').split('?');
  const [name = '', id = ''] = path.split('/');
  const known = SCREENS.find((screen) => screen === name);
  if (known === undefined) return { screen: 'overview', id: null, query: '' };
  return { screen: known, id: decoded(id), query: rest.join('?') };
}

/** The address of a route, for links. */
export function href(screen: Screen, id?: string | null, query = ''): string {
  const path = id === undefined || id === null ? `#/${screen}` : `#/${screen}/${encodeURIComponent(id)}`;
  return query === '' ? path : `${path}?${query}`;
}

function decoded(part: string): string | null {
  try {
    return part === '' ? null : decodeURIComponent(part);
  } catch {
    return null;
  }
}

class Router {
  route = $state.raw<Route>({ screen: 'overview', id: null, query: '' });

  /** Follows the address bar from now on. */
  start(): void {
    const follow = () => (this.route = parse(location.hash));
    addEventListener('hashchange', follow);
    follow();
  }

  go(screen: Screen, id?: string | null, query?: string): void {
    const to = href(screen, id, query);
    // Once more to the same place is a wish, too: what scrolled away comes back.
    if (location.hash === to) this.route = parse(to);
    else location.hash = to;
  }

  /** The same without a step to go back over: for one after the other in a list. */
  replace(screen: Screen, id?: string | null, query?: string): void {
    location.replace(href(screen, id, query));
  }
}

export const router = new Router();
