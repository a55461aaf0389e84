// How the screens look, against the sketches in `looks/`. `npm run e2e:record` writes those anew.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it, vi } from 'vitest';
import { makeUp } from './support/clients';
import type { Gateway } from './support/gateway';
import { SCREENS, type Dashboard, type Look } from './support/page';
import { type Sketch, Sketcher } from './support/sketch';
import { differences } from './support/sketch_compare';
import { read, written } from './support/sketch_file';
import { onStage } from './support/stage';

const LOOKS: Record<string, Look> = {
  'light 1280': { theme: 'light', width: 1280, height: 1600 },
  'dark 1280': { theme: 'dark', width: 1280, height: 1600 },
  'light 390': { theme: 'light', width: 390, height: 1600 },
};
const records = process.env.CODEFERRY_RECORD === '1';
const file = (screen: string) => join(import.meta.dirname, 'looks', `${screen}.txt`);
const kept = (screen: string) => (existsSync(file(screen)) ? read(readFileSync(file(screen), 'utf8')) : new Map<string, Sketch>());

/** What a screen shows once it has read what it shows. */
const FULL: Record<string, string> = {
  overview: 'main table tbody tr >> nth=3',
  accounts: '[data-account]',
  requests: '[role=grid] [role=row] >> nth=4',
  usage: 'main canvas >> nth=3',
  models: '[data-role] select',
  clients: '[data-client]',
  playground: 'main form',
  settings: 'main [data-section=advanced] input',
  onboarding: 'main ol',
};

/** Four requests, of which one was refused. */
async function used(gateway: Gateway): Promise<void> {
  for (const text of ['[[demo:text Ahoy.]]', '[[demo:json]]', '[[demo:refusal]]', '[[demo:text Both shores.]]']) await gateway.say(text, { model: 'opus' });
  await vi.waitFor(async () => {
    const { exchanges } = (await gateway.api('GET', '/exchanges')) as { exchanges: unknown[] };
    expect(exchanges.length).toBe(4);
  }, 10_000);
}

async function visit(dashboard: Dashboard, screen: string): Promise<void> {
  const { page } = dashboard;
  await dashboard.go(screen);
  await page.getByRole('heading', { level: 1, name: dashboard.title(screen) }).first().waitFor();
  // As many slots at any hour.
  if (screen === 'usage') await page.getByText(dashboard.t('range.week'), { exact: true }).click();
  await page.locator(FULL[screen] ?? 'main').first().waitFor();
  await expect.poll(() => page.locator('[role=status] svg.animate-spin').count()).toBe(0);
  // Lists measure their rows.
  await page.evaluate(() => new Promise((done) => setTimeout(done, 60)));
}

onStage('the look', (stage) => {
  let sketcher: Sketcher;
  beforeAll(async () => {
    await used(stage.gateway);
    sketcher = await Sketcher.open(stage.browser);
  });
  const now = ({ page }: Dashboard) => sketcher.of(page);
  /** With made-up clients: other machines have other ones. */
  async function open(name: string): Promise<Dashboard> {
    const dashboard = await stage.open('', LOOKS[name]);
    await makeUp(dashboard.page);
    return dashboard;
  }

  it.each(Object.keys(LOOKS))('is as it was kept: %s', async (name) => {
    const dashboard = await open(name);
    const found: Record<string, string[]> = {};
    for (const screen of SCREENS) {
      await visit(dashboard, screen);
      const is = await now(dashboard);
      const all = kept(screen);
      if (records) writeFileSync(file(screen), written(new Map([...all, [name, is]])));
      const was = kept(screen).get(name);
      const differs = was === undefined ? ['nothing was kept'] : differences(was, is);
      if (differs.length > 0) found[screen] = differs;
    }
    expect(found, 'looks else than it did; if that is meant: npm run e2e:record').toEqual({});
  });

  /** What may be done to a page, and what is said then. */
  const DAMAGE: [string, string, () => void, RegExp][] = [
    ['a sidebar that is gone', 'overview', () => document.querySelector('nav')?.style.setProperty('display', 'none'), /^bar: 1 were there, 0 are$/],
    ['a surface in another colour', 'settings', () => document.documentElement.style.setProperty('--surface', '#fff4f4'), /cells have another colour, most of them #fff4f4/],
    ['cards that lie over one another', 'models', () => document.querySelectorAll<HTMLElement>('main section')[1]?.style.setProperty('margin-top', '-60px'), /card \d: the room above it was 16, is -44/],
    ['a chart that is missing', 'usage', () => document.querySelector('main canvas')?.remove(), /^chart: 4 were there, 3 are$/],
    ['a page that is squeezed', 'clients', () => document.querySelector<HTMLElement>('main > div')?.style.setProperty('max-width', '30rem'), /its width was/],
    ['a list without its rows', 'overview', () => document.querySelector<HTMLElement>('main tbody')?.style.setProperty('display', 'none'), /its height was/],
  ];
  it.each(DAMAGE)('is not that of %s', async (_, screen, damage, says) => {
    const dashboard = await open('light 1280');
    await visit(dashboard, screen);
    const was = kept(screen).get('light 1280');
    await dashboard.page.evaluate(damage);
    const differs = was === undefined ? [] : differences(was, await now(dashboard));
    expect(differs.join('\n')).toMatch(new RegExp(says, 'm'));
  });

  it.each([
    ['serif', SCREENS],
    ['Liberation Sans, Arial, sans-serif', ['overview', 'usage', 'models', 'settings']],
  ])('is the same in other letters: %s', async (family, screens) => {
    const dashboard = await open('light 1280');
    const found: Record<string, string[]> = {};
    for (const screen of screens) {
      await visit(dashboard, screen);
      await dashboard.page.evaluate((letters) => document.documentElement.style.setProperty('font-family', letters), family);
      const was = kept(screen).get('light 1280');
      const differs = was === undefined ? [] : differences(was, await now(dashboard));
      if (differs.length > 0) found[screen] = differs;
    }
    expect(found).toEqual({});
  });
});
