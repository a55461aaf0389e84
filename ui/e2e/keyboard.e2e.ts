// Everything by keys alone, and where the focus is can be seen.

import { beforeAll, expect, it } from 'vitest';
import { type Dashboard, SCREENS } from './support/page';
import { onStage } from './support/stage';

onStage('the keyboard', (stage) => {
  let dashboard: Dashboard;

  beforeAll(async () => {
    await stage.gateway.say('[[demo:text for the list]]', { model: 'opus' });
  });

  const focused = () => dashboard.page.evaluate(() => `${document.activeElement?.tagName}: ${document.activeElement?.textContent?.trim()}`);

  it.each(['en', 'zh'] as const)('finds everything in one place: %s', async (language) => {
    dashboard = await stage.open('', { language, theme: language === 'zh' ? 'dark' : 'light' });
    const { page } = dashboard;
    await page.keyboard.press('Control+k');
    const field = page.getByRole('combobox', { name: dashboard.t('palette.title') });
    await field.waitFor();
    expect(await dashboard.barriers()).toEqual([]);
    await page.keyboard.type('no such thing');
    await dashboard.says(dashboard.t('palette.none'));
    expect(await dashboard.barriers()).toEqual([]);

    await field.fill(dashboard.t('screen.usage'));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: dashboard.t('screen.usage') }).waitFor();
    await expect.poll(focused).toBe(`H1: ${dashboard.t('screen.usage')}`);

    await page.keyboard.press('/');
    await field.fill('opus');
    await page.getByRole('option', { name: /opus/ }).first().waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('tab', { name: dashboard.t('inspector.timeline') }).waitFor();

    await page.keyboard.press('Control+k');
    await field.fill(dashboard.t('settings.privacy'));
    await page.keyboard.press('Enter');
    await expect.poll(focused).toBe(`H2: ${dashboard.t('settings.privacy')}`);

    await page.keyboard.press('Control+k');
    await field.fill(dashboard.t('theme.dark'));
    await page.keyboard.press('Enter');
    await expect.poll(() => page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark');
    // Where it was dark before, that says nothing about the palette.
    await field.waitFor({ state: 'detached' });
    await page.keyboard.press('Control+k');
    await field.waitFor();
    await page.keyboard.press('Escape');
    await field.waitFor({ state: 'detached' });
  });

  it('has numbers for the screens, and says so', async () => {
    dashboard = await stage.open('onboarding');
    const { page } = dashboard;
    for (const [at, screen] of SCREENS.slice(0, 8).entries()) {
      await page.keyboard.press(`Control+${at + 1}`);
      await expect.poll(() => page.url()).toContain(`#/${screen}`);
      await expect.poll(focused).toContain('H1: ');
    }
    await page.keyboard.press('Control+1');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: dashboard.t('keys.title') }).waitFor();
    expect(await dashboard.barriers()).toEqual([]);
    await page.keyboard.press('Control+2');
    expect(page.url(), 'a dialog has the keys to itself').toContain('#/overview');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  it('leaves letters to those who type', async () => {
    dashboard = await stage.open('playground');
    const prompt = dashboard.field('playground.prompt');
    await prompt.fill('');
    await prompt.pressSequentially('why? a/b');
    expect(await prompt.inputValue()).toBe('why? a/b');
    expect(await dashboard.page.getByRole('dialog').count()).toBe(0);
  });

  it('skips what is on every screen', async () => {
    dashboard = await stage.open();
    const { page } = dashboard;
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await page.keyboard.press('Tab');
    await expect.poll(focused).toBe(`BUTTON: ${dashboard.t('frame.skip')}`);
    const box = await dashboard.button('frame.skip').boundingBox();
    expect(Math.min(box?.width ?? 0, box?.height ?? 0), 'it can be seen').toBeGreaterThan(27);
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('MAIN');
  });

  it('shows where it is, wherever that is', async () => {
    dashboard = await stage.open('onboarding');
    const { page } = dashboard;
    const unseen: string[] = [];
    let seen = 0;
    for (const screen of SCREENS) {
      await dashboard.go(screen);
      await expect.poll(focused).toContain('H1: ');
      for (let step = 0; step < 25; step += 1) {
        await page.keyboard.press('Tab');
        const where = await page.evaluate(() => {
          const shown = (element: Element | null) => {
            const style = element === null ? null : getComputedStyle(element);
            return style !== null && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
          };
          const here = document.activeElement;
          if (here === null || here === document.body) return null;
          const seen = shown(here) || shown(here.closest('label'));
          return seen ? '' : `${here.tagName} ${here.getAttribute('aria-label') ?? here.textContent?.trim().slice(0, 40)}`;
        });
        // Past the end it begins anew, with the sidebar.
        if (where === null) continue;
        seen += 1;
        if (where !== '') unseen.push(`${screen}: ${where}`);
      }
    }
    expect(unseen).toEqual([]);
    expect(seen).toBeGreaterThan(120);
  });
});
