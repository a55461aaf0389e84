// What is around every screen: the bar at the bottom of a narrow window, the sidebar, and what scrolls.

import { expect, it } from 'vitest';
import { SCREENS } from './support/page';
import { onStage } from './support/stage';

const PHONE = { width: 360, height: 720 };

onStage('the frame', (stage) => {
  it.each(['en', 'zh'] as const)('has every screen within a thumb of a narrow window: %s', async (language) => {
    const dashboard = await stage.open('', { ...PHONE, language });
    const { page } = dashboard;
    const bar = page.getByRole('navigation', { name: dashboard.t('frame.screens') });
    for (const screen of SCREENS.filter((one) => one !== 'onboarding')) {
      const link = bar.getByRole('link', { name: dashboard.title(screen) });
      if (await link.isVisible()) {
        await link.click();
      } else {
        await bar.getByRole('button', { name: dashboard.t('frame.more') }).click();
        await page.getByRole('dialog').getByRole('link', { name: dashboard.title(screen) }).click();
      }
      await page.getByRole('heading', { level: 1, name: dashboard.title(screen) }).waitFor();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      const cut = await bar.locator('a, button').evaluateAll((all) =>
        all.flatMap((one) => [...one.querySelectorAll('span')]).filter((one) => one.offsetParent !== null && one.clientWidth > 1 && one.scrollWidth > one.clientWidth).map((one) => one.textContent),
      );
      expect(cut, 'no name in the bar is cut').toEqual([]);
    }
  });

  it('puts the sheet away by a tap beside it, and by Escape', async () => {
    const dashboard = await stage.open('', PHONE);
    const { page } = dashboard;
    for (const away of [() => page.mouse.click(180, 60), () => page.keyboard.press('Escape'), () => dashboard.button('shared.close').click()]) {
      await dashboard.button('frame.more').click();
      await page.getByRole('dialog').waitFor();
      expect(await dashboard.barriers()).toEqual([]);
      await away();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      expect(page.url()).not.toContain('#/settings');
    }
    await dashboard.button('frame.more').click();
    await dashboard.button('palette.title').click();
    await page.getByRole('combobox', { name: dashboard.t('palette.title') }).waitFor();
  });

  it('never scrolls itself: only what is in it does', async () => {
    const dashboard = await stage.open('', { width: 1280, height: 480 });
    for (const screen of SCREENS) {
      await dashboard.go(screen);
      await dashboard.page.getByRole('heading', { level: 1, name: dashboard.title(screen) }).waitFor();
      expect(await dashboard.overflow(), screen).toBe(0);
    }
  });

  it('lets through what is behind the window only where it should', async () => {
    const dashboard = await stage.open();
    const { page } = dashboard;
    const session = await dashboard.context.newCDPSession(page);
    const wants = (name: string, value: string) => session.send('Emulation.setEmulatedMedia', { features: [{ name, value }] });
    /** How opaque the page, the sidebar and the screen are. */
    const opaque = () =>
      page.evaluate(() =>
        [document.documentElement, document.querySelector('nav'), document.querySelector('main')].map((one) => {
          const colour = one === null ? '' : getComputedStyle(one).backgroundColor;
          const [, alpha] = /[,/] ?([\d.]+)\)$/.exec(colour) ?? [];
          return colour.startsWith('rgb(') || alpha === undefined ? 1 : Number(alpha);
        }),
      );
    const is = (wanted: unknown) => expect.poll(opaque).toEqual(wanted);
    // A browser is no window of ours.
    await is([1, 1, 1]);
    await page.evaluate(() => document.documentElement.toggleAttribute('data-translucent', true));
    await is([0, 0.55, 1]);
    await wants('prefers-reduced-transparency', 'reduce');
    await is([1, 1, 1]);
    await wants('prefers-contrast', 'more');
    await is([1, 1, 1]);
    await wants('prefers-contrast', 'no-preference');
    await is([0, 0.55, 1]);
    await page.setViewportSize({ width: 400, height: 800 });
    await is([1, 1, 1]);
    await page.setViewportSize({ width: 1280, height: 800 });
    await is([0, 0.55, 1]);
    // The system's material is light where the system is.
    await page.evaluate(() => (document.documentElement.dataset.theme = 'dark'));
    await is([1, 1, 1]);
  });

  it.each([1280, 360])('leads to a part of the settings, and stays there while the page grows: %i', async (width) => {
    const dashboard = await stage.open('settings/diagnostics', { width, height: 800 });
    const { page } = dashboard;
    const heading = page.getByRole('heading', { level: 2, name: dashboard.t('settings.diagnostics') });
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent?.trim())).toBe(dashboard.t('settings.diagnostics'));
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(await heading.isVisible()).toBe(true);
    const box = await heading.boundingBox();
    expect((box?.y ?? -1) >= 0 && (box?.y ?? 900) < 700).toBe(true);
    expect(await page.evaluate(() => [document.documentElement.scrollTop, document.body.scrollTop])).toEqual([0, 0]);
    if (width < 1000) return;
    const index = page.getByRole('navigation', { name: dashboard.t('screen.settings') });
    const marked = () => index.locator('[aria-current=location]').textContent();
    expect(await marked()).toContain(dashboard.t('settings.diagnostics'));
    await page.mouse.move(700, 400);
    await page.mouse.wheel(0, -9_000);
    await expect.poll(marked).toContain(dashboard.t('settings.general'));
    await index.getByRole('link', { name: dashboard.t('settings.network') }).click();
    await expect.poll(marked).toContain(dashboard.t('settings.network'));
    expect(await dashboard.barriers()).toEqual([]);
  });
});
