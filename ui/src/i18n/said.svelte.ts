// What the gateway says, in the person's language. Its sentences come when a page needs them; until then they are English.

import { language } from './index';
import { Translation, type Catalogue } from './told';

/** Sentences that are loaded together, as `cargo xtask types` sorts them. */
export type Area = 'gateway' | 'clients' | 'settings' | 'desktop';

const CATALOGUES: Record<Area, () => Promise<{ default: Catalogue }>> = {
  gateway: () => import('../../messages/said/gateway.zh.json'),
  clients: () => import('../../messages/said/clients.zh.json'),
  settings: () => import('../../messages/said/settings.zh.json'),
  desktop: () => import('../../messages/said/desktop.zh.json'),
};

const translation = new Translation();
const brought: Partial<Record<Area, Promise<void>>> = {};
/** Whatever was said before is said anew when there are more sentences. */
let areas = $state.raw(0);

/** Brings the sentences of an area. Whoever cannot have them reads English. */
export function bring(area: Area): Promise<void> {
  if (language !== 'zh') return Promise.resolve();
  return (brought[area] ??= CATALOGUES[area]().then(
    ({ default: catalogue }) => {
      translation.add(catalogue);
      areas += 1;
    },
    () => void delete brought[area],
  ));
}

/** The same in the person's language. `null`: it stays as it came. */
export function said(text: string): string | null {
  return areas === 0 ? null : translation.of(text);
}

/** The `lang` of a text that came from elsewhere: that of the page, unless it is shown as it came. */
export function langOf(text: string): 'en' | undefined {
  return language === 'en' || said(text) !== null ? undefined : 'en';
}
