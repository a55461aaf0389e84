// What the dashboard gives away, and what it lets others do: nothing. docs/security.md, "The dashboard".

import { expect, it, vi } from 'vitest';
import { makeUp } from './support/clients';
import { Dashboard, SCREENS } from './support/page';
import { onStage } from './support/stage';

/** Text that becomes a deed wherever somebody takes it for markup, an attribute, an address or a template. */
const EVIL = [
  '"><img src=x onerror="window.pwned=1">',
  "'><svg onload=window.pwned=1>",
  '</script></textarea></title><script>window.pwned=1</script>',
  '<a href="javascript:window.pwned=1">here</a>',
  '${window.pwned=1}{{window.pwned=1}}',
].join('');
/** Names of what anybody can have written: a model, a client, an upstream, a file, a host. */
const FREE = [
  ...['asked', 'by', 'client', 'cure', 'description', 'diff', 'display_name', 'doc', 'email', 'error', 'file', 'found', 'hint', 'how', 'label'],
  ...['manual', 'message', 'model', 'name', 'notes', 'now', 'path', 'picked', 'place', 'plan', 'program', 'reason', 'route', 'text', 'title'],
  ...['told', 'upstream_id', 'user_agent', 'version', 'wanted', 'warning', 'warnings', 'what', 'why', 'conversation', 'allowed'],
];

onStage('the dashboard', (stage) => {
  /** Whether any of it became more than text. */
  const deeds = ({ page }: Dashboard) =>
    page.evaluate(() => {
      const all = [...document.querySelectorAll('*')];
      const attributes = all.flatMap((one) => [...one.attributes].map((attribute) => ({ one, ...{ name: attribute.name, value: attribute.value } })));
      return [
        ...('pwned' in window ? ['it ran'] : []),
        ...all.filter((one) => ['IMG', 'SCRIPT', 'svg'].includes(one.tagName) && /pwned|^x$/.test(one.getAttribute('src') ?? one.textContent ?? '')).map((one) => one.outerHTML.slice(0, 80)),
        ...attributes.filter(({ name }) => name.startsWith('on')).map(({ one, name }) => `${one.tagName} ${name}`),
        ...attributes.filter(({ name, value }) => ['href', 'src', 'action'].includes(name) && /^\s*(javascript|data):/i.test(value)).map(({ value }) => value),
      ];
    });

  it('shows whatever comes as text, on every screen', async () => {
    const { gateway } = stage;
    await gateway.api('POST', '/capture', { minutes: 5, client: null, images: false });
    await gateway.say(`[[demo:text ${EVIL.replaceAll(']', '')}]] [[demo:tool Read {"path": ${JSON.stringify(EVIL)}}]]`, { model: 'opus' });
    await gateway.say(EVIL, { model: EVIL });
    const exchange = await vi.waitFor(async () => {
      const { exchanges } = (await gateway.api('GET', '/exchanges')) as { exchanges: { id: string }[] };
      expect(exchanges.length).toBeGreaterThan(1);
      return exchanges.map(({ id }) => id);
    }, 10_000);
    const dashboard = await Dashboard.open(stage.browser, gateway);
    const { page } = dashboard;
    // And all that is told, by answers as by events: nothing is trusted because it comes from the gateway.
    await page.addInitScript(
      ({ free, evil }) => {
        const parse = JSON.parse.bind(JSON);
        const spoiled = (key: string, value: unknown): unknown => {
          if (typeof value === 'string') return free.includes(key) ? value + evil : value;
          if (Array.isArray(value)) return value.map((one) => spoiled(key, one));
          if (typeof value !== 'object' || value === null) return value;
          return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, spoiled(name, one)]));
        };
        JSON.parse = (text: string) => spoiled('', parse(text));
      },
      { free: FREE, evil: EVIL },
    );
    await makeUp(page);
    await page.reload();
    const seen: string[] = [];
    const look = async (place: string) => {
      await expect.poll(() => page.locator('[role=status] svg.animate-spin').count(), { message: place }).toBe(0);
      await page.evaluate(() => new Promise((done) => setTimeout(done, 100)));
      expect(await deeds(dashboard), place).toEqual([]);
      if ((await page.evaluate(() => document.body.textContent)).includes('onerror=')) seen.push(place);
    };
    for (const place of [...SCREENS, 'clients/claude-code']) {
      await dashboard.go(place);
      await page.getByRole('heading', { level: 1 }).first().waitFor();
      await look(place);
    }
    for (const id of exchange) {
      await dashboard.go(`requests/${id}`);
      for (const tab of ['timeline', 'request', 'stream', 'losses'] as const) {
        await page.getByRole('tab', { name: dashboard.t(`inspector.${tab}`) }).click();
        await look(`inspector ${tab}`);
      }
    }
    await dashboard.go('playground');
    await dashboard.field('playground.prompt').fill(`[[demo:text ${EVIL.replaceAll(']', '')}]]`);
    await dashboard.button('playground.send').click();
    await page.getByRole('status').getByText('200').waitFor();
    await look('playground, answered');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: dashboard.t('palette.title') }).waitFor();
    await look('palette');
    expect(await page.title()).not.toContain('pwned');
    // What has another name now is not found; nothing else is wrong.
    expect(dashboard.wrong.filter((what) => !what.includes('404'))).toEqual([]);
    // It was there to be seen.
    for (const place of ['overview', 'accounts', 'requests', 'models', 'clients', 'clients/claude-code', 'settings', 'inspector request', 'inspector stream', 'playground, answered', 'palette']) {
      expect(seen).toContain(place);
    }
    await dashboard.close();
    await gateway.api('DELETE', '/capture');
  });

  it('has a session that no script reads, and no address that opens anything', async () => {
    const dashboard = await stage.open('accounts');
    const { page, context } = dashboard;
    const cookies = await context.cookies();
    expect(cookies.map(({ httpOnly, sameSite, path }) => ({ httpOnly, sameSite, path }))).toEqual([{ httpOnly: true, sameSite: 'Strict', path: '/' }]);
    expect(await page.evaluate(() => document.cookie)).toBe('');
    expect(page.url()).toBe(`${stage.gateway.url}/#/accounts`);
    // What a person, or a program, could read back: where one was, and what was put aside.
    const secret = cookies[0]?.value ?? '';
    const kept = await page.evaluate(() => [...Object.entries(localStorage), ...Object.entries(sessionStorage)].join(' ') + document.documentElement.outerHTML);
    expect(secret.length).toBeGreaterThan(20);
    expect(kept).not.toContain(secret);
    const session = await context.newCDPSession(page);
    const { entries } = await session.send('Page.getNavigationHistory');
    for (const { url } of entries) expect(url).not.toMatch(/[?&#](code|token|t|key)=/);
    expect(await page.evaluate(() => document.referrer)).toBe('');
  });

  it('is opened by a link once, and not at all without one', async () => {
    const link = await stage.gateway.link();
    for (const [address, lets] of [[link, true], [link, false], [`${stage.gateway.url}/`, false]] as const) {
      const context = await stage.browser.newContext();
      const page = await context.newPage();
      await page.goto(address);
      // The page that says why not may ask nobody.
      const status = await page.evaluate(() => fetch('/api/status').then((answer) => answer.status, () => 0));
      expect([address, status === 200]).toEqual([address, lets]);
      await context.close();
    }
  });

  it('comes with headers that hold it to its own files', async () => {
    const dashboard = await stage.open();
    for (const screen of SCREENS) {
      await dashboard.go(screen);
      await dashboard.page.getByRole('heading', { level: 1, name: dashboard.title(screen) }).first().waitFor();
    }
    const asked = await dashboard.page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
    const own = [...new Set([`${stage.gateway.url}/`, ...asked])];
    for (const url of own) {
      expect(new URL(url).origin, 'nobody else is asked').toBe(stage.gateway.url);
      if (new URL(url).pathname.startsWith('/api/')) continue;
      const { headers, status } = await fetch(url, { headers: { accept: 'text/html' } });
      // Files that were built after the program are not in it.
      if (status === 404 && process.env.CODEFERRY_DIST !== undefined) continue;
      const policy = headers.get('content-security-policy') ?? '';
      expect([url, status, policy.includes("default-src 'none'"), /unsafe|\*/.test(policy)]).toEqual([url, 200, true, false]);
      expect([url, headers.get('x-content-type-options'), headers.get('referrer-policy')]).toEqual([url, 'nosniff', 'no-referrer']);
    }
    const answer = await fetch(`${stage.gateway.url}/api/status`);
    expect([answer.status, answer.headers.get('cache-control'), answer.headers.get('x-content-type-options')]).toEqual([401, 'no-store', 'nosniff']);
    expect(own.filter((url) => url.includes('/assets/')).length).toBeGreaterThan(3);
  });
});
