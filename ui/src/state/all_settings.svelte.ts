// All settings with what is said of them. What is refused stays beside its setting, in the gateway's own words.

import { bring } from '../i18n/said.svelte';
import { ApiError, changeSettings, problemOf, type Problem, settings as ask } from '../api/client';
import type { Setting, SettingChange, SettingProblem, SettingValue } from '../api/types';
import { live } from './live.svelte';
import { same } from './setting_kinds';
import { toasts } from './toasts.svelte';

export class AllSettings {
  /** `null`: not read yet. */
  all = $state.raw<Setting[] | null>(null);
  /** Values in the file that cannot be used. */
  wrong = $state.raw<SettingProblem[]>([]);
  problem = $state.raw<unknown>(null);
  /** The one that is being written. */
  saving = $state<string | null>(null);
  /** The one that was refused last, and why. */
  refused = $state.raw<(Problem & { key: string }) | null>(null);

  async load(): Promise<void> {
    try {
      const [{ settings, problems }] = await Promise.all([ask(), bring('settings')]);
      this.all = settings;
      this.wrong = problems;
      this.problem = null;
    } catch (error) {
      this.problem = error;
    }
  }

  get(key: string): Setting | null {
    return this.all?.find((setting) => setting.key === key) ?? null;
  }

  /** What it is now: others change settings, too. */
  value(setting: Setting): SettingValue {
    return live.settings[setting.key] ?? setting.value;
  }

  changed(setting: Setting): boolean {
    return !same(this.value(setting), setting.default);
  }

  /** `null` brings the default back. */
  async change(key: string, value: SettingChange): Promise<boolean> {
    this.saving = key;
    try {
      const { settings, problems } = await changeSettings({ [key]: value });
      this.all = settings;
      this.wrong = problems;
      const now = settings.filter((setting) => setting.key === key);
      live.changed(now.length > 0 ? now : [{ key, value: null, set: false }]);
      if (this.refused?.key === key) this.refused = null;
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 400) this.refused = { key, ...problemOf(error) };
      else toasts.fail(error);
      return false;
    } finally {
      this.saving = null;
    }
  }
}

export const allSettings = new AllSettings();
