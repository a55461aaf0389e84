// A page of the dashboard that is watched: whatever it asks of others, says on the console, or is not allowed is kept.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import { type Browser, type BrowserContext, type Locator, type Page, type Route, chromium } from 'playwright-core';
import en from '../../messages/en.json';
import zh from '../../messages/zh.json';
import type { Gateway } from './gateway';
import { browser } from './tools';

export type Language = 'en' | 'zh';
export type Theme = 'light' | 'dark';
type Key = keyof typeof en;
type Words = Record<string, string | number>;

export interface Look {
  language?: Language;
  theme?: Theme;
  width?: number;
  height?: number;
  /** Things may move, as they do for most people. */
  motion?: boolean;
  /** Where it is opened, if not at the gateway itself. */
  at?: string;
}

export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: browser() ?? '', args: ['--no-sandbox', '--disable-gpu'] });

/** Where there is something to see. */
export const SCREENS = ['overview', 'accounts', 'requests', 'usage', 'models', 'clients', 'playground', 'settings', 'onboarding'];

/** Rules of axe, all of those that say what WCAG 2.2 AA and its best practice ask. */
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Pages as they were built last, with `CODEFERRY_DIST`, instead of those in the binary: while one works on them. */
async function fresh(route: Route): Promise<void> {
  const dist = process.env.CODEFERRY_DIST;
  const { pathname } = new URL(route.request().url());
  const file = dist === undefined ? '' : join(dist, pathname === '/' ? 'index.html' : pathname);
  if (file === '' || pathname.startsWith('/api/') || !existsSync(file) || !statSync(file).isFile()) return route.continue();
  if (pathname !== '/') return route.fulfill({ path: file });
  // With the headers of the gateway: its policy holds.
  await route.fulfill({ response: await route.fetch({ maxRedirects: 0 }), body: readFileSync(file) });
}

export class Dashboard {
  /** What should not have happened. */
  readonly wrong: string[] = [];

  private constructor(
    readonly page: Page,
    readonly context: BrowserContext,
    readonly gateway: Gateway,
    readonly language: Language,
  ) {}

  static async open(browser: Browser, gateway: Gateway, look: Look = {}, to = ''): Promise<Dashboard> {
    const { language = 'en', theme = 'light', width = 1280, height = 900, motion = false, at = gateway.url } = look;
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: theme,
      locale: language === 'zh' ? 'zh-CN' : 'en-GB',
      reducedMotion: motion ? 'no-preference' : 'reduce',
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const page = await context.newPage();
    const dashboard = new Dashboard(page, context, gateway, language);
    await dashboard.#watch();
    await page.goto((await gateway.link()).replace(gateway.url, at));
    // Where a link leads to is nobody's to change; what is loaded next is.
    if (process.env.CODEFERRY_DIST !== undefined) await page.reload();
    if (to !== '') await dashboard.go(to);
    await page.getByRole('heading', { level: 1 }).waitFor();
    return dashboard;
  }

  async #watch(): Promise<void> {
    await this.context.route('**', (route) => {
      const host = new URL(route.request().url()).hostname;
      if (host === '127.0.0.1') return fresh(route);
      this.wrong.push(`asked of ${route.request().url()}`);
      return route.abort();
    });
    this.page.on('console', (message) => {
      // A request is asked for until the log has it; the browser tells each 404 on the console.
      if (message.text().includes('404') && message.location().url.includes('/api/exchanges/')) return;
      if (message.type() === 'error' || message.type() === 'warning') this.wrong.push(`${message.type()}: ${message.text()}`);
    });
    this.page.on('pageerror', (error) => this.wrong.push(`thrown: ${error.message}`));
    await this.page.exposeFunction('violated', (what: string) => this.wrong.push(`not allowed: ${what}`));
    await this.page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        const page = window as unknown as { violated: (what: string) => void };
        page.violated(`${event.violatedDirective} ${event.blockedURI}`);
      });
    });
  }

  /** A sentence as this page says it. */
  t(key: Key, words: Words = {}): string {
    const known = (this.language === 'zh' ? zh : en) as Record<string, string | Record<string, string>>;
    const found = known[key] ?? key;
    const plural = new Intl.PluralRules(this.language).select(Number(words.count));
    const text = typeof found === 'string' ? found : (found[plural] ?? found.other ?? '');
    return text.replace(/\{(\w+)\}/g, (_, name: string) => String(words[name] ?? ''));
  }

  async go(screen: string): Promise<void> {
    await this.page.evaluate((hash) => (location.hash = hash), `#/${screen}`);
  }

  /** The heading of a screen. */
  title(screen: string): string {
    return this.t(screen === 'onboarding' ? 'onboarding.title' : (`screen.${screen}` as Key));
  }

  button(key: Key, words: Words = {}): Locator {
    return this.page.getByRole('button', { name: this.t(key, words), exact: true });
  }

  field(key: Key, words: Words = {}): Locator {
    return this.page.getByLabel(this.t(key, words), { exact: true });
  }

  says(text: string | RegExp): Promise<void> {
    return this.page.getByText(text).filter({ visible: true }).first().waitFor();
  }

  /** What stands in the way of people who do not see, or use no mouse. */
  async barriers(): Promise<string[]> {
    // Rows of long lists are hidden until they were measured.
    await this.page.evaluate(() => new Promise((done) => setTimeout(() => requestAnimationFrame(done), 100)));
    await this.page.evaluate(axe.source);
    const found = await this.page.evaluate(async (tags) => {
      const { axe } = window as unknown as { axe: typeof import('axe-core') };
      return await axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] });
    }, TAGS);
    const said = found.violations.flatMap(({ id, help, nodes }) =>
      nodes.map((node) => `${id}: ${help} (${node.target.join(' ')}) ${node.failureSummary?.split('\n').slice(1).join(' ') ?? ''}`),
    );
    return said;
  }

  /** How far the page, or what scrolls in it, is wider than there is room, in pixels. */
  overflow(): Promise<number> {
    return this.page.evaluate(() => {
      const root = document.documentElement;
      const all = [root, ...document.querySelectorAll('main')];
      // Only what is in the frame scrolls, never the frame.
      return Math.max(root.scrollHeight - root.clientHeight, ...all.map((one) => one.scrollWidth - one.clientWidth));
    });
  }

  close(): Promise<void> {
    return this.context.close();
  }
}
