// The screens in the order of the sidebar, each with its picture.

import type { Screen } from '../router.svelte';
import type { IconName } from '../shared/icons';

export interface Listed {
  screen: Screen;
  icon: IconName;
}

export const LISTED: readonly Listed[] = [
  { screen: 'overview', icon: 'overview' },
  { screen: 'accounts', icon: 'accounts' },
  { screen: 'requests', icon: 'requests' },
  { screen: 'usage', icon: 'usage' },
  { screen: 'models', icon: 'models' },
  { screen: 'clients', icon: 'clients' },
  { screen: 'playground', icon: 'playground' },
  { screen: 'settings', icon: 'settings' },
];

/** So many have a place of their own on a narrow window; the others are one step away. */
export const FIRST = 4;
