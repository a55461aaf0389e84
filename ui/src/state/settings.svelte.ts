// Changing settings of the gateway. Their values are part of what is live.

import { changeSettings } from '../api/client';
import type { SettingChange } from '../api/types';
import { live } from './live.svelte';
import { toasts } from './toasts.svelte';

class Settings {
  /** Those that are being written, with what they are to be. */
  #writing = $state.raw<Record<string, SettingChange>>({});

  /** What it is, or is about to be. */
  value(key: string): SettingChange {
    return key in this.#writing ? (this.#writing[key] ?? null) : (live.settings[key] ?? null);
  }

  /** This gateway knows it. */
  has(key: string): boolean {
    return key in live.settings;
  }

  is(key: string): boolean {
    return this.value(key) === true;
  }

  async change(key: string, value: SettingChange): Promise<boolean> {
    this.#writing = { ...this.#writing, [key]: value };
    try {
      const { settings } = await changeSettings({ [key]: value });
      // The stream tells it, too, and perhaps later.
      live.changed(settings.filter((setting) => setting.key === key));
      return true;
    } catch (error) {
      toasts.fail(error);
      return false;
    } finally {
      this.#writing = Object.fromEntries(Object.entries(this.#writing).filter(([other]) => other !== key));
    }
  }
}

export const settings = new Settings();
