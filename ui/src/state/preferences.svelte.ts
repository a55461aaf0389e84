// How this page looks to this person, on this machine. Nobody else needs to know, so it stays in the browser.

import { choose, chosen, type Language } from '../i18n';
import { inShell } from '../platform';
import { settings } from './settings.svelte';

export type Theme = 'system' | 'light' | 'dark';

/** The language of menus and notifications. */
const SHELL = 'desktop.language';
/** As public/theme.js reads it. */
const THEME = 'codeferry.theme';

function stored(): Theme {
  try {
    const theme = localStorage.getItem(THEME);
    return theme === 'light' || theme === 'dark' ? theme : 'system';
  } catch {
    return 'system';
  }
}

class Preferences {
  theme = $state<Theme>(stored());
  language = $state<Language | 'system'>(chosen() ?? 'system');

  setTheme(theme: Theme): void {
    this.theme = theme;
    const root = document.documentElement;
    if (theme === 'system') delete root.dataset.theme;
    else root.dataset.theme = theme;
    try {
      if (theme === 'system') localStorage.removeItem(THEME);
      else localStorage.setItem(THEME, theme);
    } catch {
      // Until the page is closed, then.
    }
  }

  /** Sentences are chosen when a page is opened: it is opened again. */
  setLanguage(language: Language | 'system'): void {
    this.language = language;
    choose(language === 'system' ? null : language);
    // The desktop app says the rest in the same one.
    const told = inShell && settings.has(SHELL) ? settings.change(SHELL, language) : Promise.resolve(true);
    void told.finally(() => location.reload());
  }
}

export const preferences = new Preferences();
