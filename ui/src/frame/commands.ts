// What there is to go to and to do at this moment.

import { t } from '../i18n';
import { switchTo } from '../api/client';
import { models, when } from '../parts/exchange';
import { nameOf } from '../parts/account';
import { router, type Screen } from '../router.svelte';
import type { IconName } from '../shared/icons';
import { live } from '../state/live.svelte';
import { preferences } from '../state/preferences.svelte';
import { signIn } from '../state/sign_in.svelte';
import { toasts } from '../state/toasts.svelte';
import { NUMBERED } from './keys';
import type { Command } from './palette';

const ICONS: Partial<Record<Screen, IconName>> = { onboarding: 'arrow' };
const SECTIONS = ['general', 'appearance', 'client_keys', 'network', 'privacy', 'advanced', 'diagnostics', 'about'] as const;

export function commands(modifier: string, now: number): Command[] {
  return [...screens(modifier), ...accounts(), ...settings(), ...requests(now)];
}

function screens(modifier: string): Command[] {
  return [...NUMBERED, 'onboarding' as const].map((screen, at) => ({
    id: `screen-${screen}`,
    group: 'screens',
    icon: ICONS[screen] ?? (screen as IconName),
    text: t(`screen.${screen}`),
    also: screen,
    ...(at < NUMBERED.length ? { hint: `${modifier} ${at + 1}` } : {}),
    run: () => router.go(screen),
  }));
}

function accounts(): Command[] {
  const others = live.accounts.filter((account) => !account.active && !account.named);
  const use = others.map((account): Command => {
    const name = nameOf(account);
    const said = () => toasts.say(t('accounts.switched', { name }));
    return {
      id: `use-${account.id}`,
      group: 'accounts',
      icon: 'accounts',
      text: t('palette.use', { name }),
      also: `${account.email ?? ''} ${account.plan ?? ''} switch`,
      run: () => void switchTo(account.id).then(said, (error: unknown) => toasts.fail(error)),
    };
  });
  const add: Command = {
    id: 'add-account',
    group: 'accounts',
    icon: 'plus',
    text: t('accounts.add'),
    also: 'add account sign in',
    run: () => signIn.show(),
  };
  return [...use, add];
}

function settings(): Command[] {
  const sections = SECTIONS.map(
    (section): Command => ({
      id: `settings-${section}`,
      group: 'settings',
      icon: 'settings',
      text: t('palette.section', { name: t(`settings.${section}`) }),
      also: `settings ${section}`,
      run: () => router.go('settings', section),
    }),
  );
  const themes = (['system', 'light', 'dark'] as const).map(
    (theme): Command => ({
      id: `theme-${theme}`,
      group: 'settings',
      icon: 'settings',
      text: t('palette.theme', { theme: t(`theme.${theme}`) }),
      also: `theme ${theme}`,
      run: () => preferences.setTheme(theme),
    }),
  );
  return [...sections, ...themes];
}

function requests(now: number): Command[] {
  return (live.recent ?? []).map((exchange) => ({
    id: exchange.id,
    group: 'requests',
    icon: 'requests',
    text: t('palette.request', { client: exchange.client, models: models(exchange) }),
    hint: when(Date.parse(exchange.at), now),
    also: `${exchange.id} ${exchange.outcome} ${exchange.error ?? ''} ${exchange.message ?? ''}`,
    run: () => router.go('requests', exchange.id),
  }));
}
