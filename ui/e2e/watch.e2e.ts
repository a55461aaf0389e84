// The other tests rest on what is watched: it has to be seen when it happens.

import { expect, it } from 'vitest';
import { Dashboard } from './support/page';
import { onStage } from './support/stage';

onStage('the watch', (stage) => {
  it('sees who is asked, what is not allowed, and what is said and thrown', async () => {
    const dashboard = await Dashboard.open(stage.browser, stage.gateway);
    expect(dashboard.wrong).toEqual([]);
    await dashboard.page.evaluate(() => {
      document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.inline = true' }));
      document.body.append(Object.assign(new Image(), { src: 'https://elsewhere.invalid/pixel.png' }));
      console.error('a complaint');
      setTimeout(() => {
        throw new Error('a mishap');
      });
    });
    for (const what of [/^not allowed: script-src/, /^not allowed: img-src.*elsewhere/, /a complaint/, /^thrown: a mishap/]) {
      await expect.poll(() => dashboard.wrong.some((one) => what.test(one)), { message: String(what) }).toBe(true);
    }
    expect(await dashboard.page.evaluate(() => 'inline' in window)).toBe(false);
    await dashboard.close();
  });

  it('sees a request that leaves this machine', async () => {
    const dashboard = await Dashboard.open(stage.browser, stage.gateway);
    // The policy stops a page that asks; this one is led away.
    await dashboard.page.goto('http://elsewhere.invalid/').catch(() => {});
    expect(dashboard.wrong).toContain('asked of http://elsewhere.invalid/');
    await dashboard.close();
  });

  it('sees a field without a name, and faint letters', async () => {
    const dashboard = await Dashboard.open(stage.browser, stage.gateway, {}, 'playground');
    await dashboard.page.evaluate(() => {
      const main = document.querySelector('main');
      main?.append(document.createElement('input'));
      const faint = Object.assign(document.createElement('p'), { textContent: 'Faint' });
      faint.style.setProperty('color', '#bbb');
      faint.style.setProperty('background', '#fff');
      main?.prepend(faint);
    });
    const barriers = (await dashboard.barriers()).join('\n');
    expect(barriers).toMatch(/^label:/m);
    expect(barriers).toMatch(/^color-contrast:/m);
    await dashboard.close();
  });
});
