// Answers about clients as the gateway gives them, for states that no machine of ours is in: other systems, drift, conflicts.

import type { Page } from 'playwright-core';
import type { ClientBackup, ClientPlace, ClientPlan, ClientVerification, Program } from '../../src/api/types.gen';

const HOME = '/home/ada';

type Standing = Record<string, unknown> & { state: string };

function place(standing: Standing, more: Partial<ClientPlace> = {}): ClientPlace {
  const { held = standing.state === 'ours' || standing.state === 'drifted' } = more;
  const rest = { target: 'user', label: 'Your settings', files: [`${HOME}/.claude/settings.json`], opt_in: false, obstacle: null };
  return { ...rest, accepted: false, conflicts: [], ...more, ...standing, held } as ClientPlace;
}

function program(client: string, name: string, targets: ClientPlace[], more: Partial<Program> = {}): Program {
  const manual = `export ANTHROPIC_BASE_URL=http://127.0.0.1:8081\nexport ANTHROPIC_AUTH_TOKEN=YOUR-CLIENT-KEY\n`;
  return { client, name, installed: true, program: null, version: null, how: null, targets, manual, backups: 0, ...more };
}

/** One in each state there is, most of them with something to say about it. */
export const CLIENTS: Program[] = [
  program(
    'claude-code',
    'Claude Code',
    [
      place(
        {
          state: 'drifted',
          drifts: [
            { key: 'env.ANTHROPIC_BASE_URL', now: 'https://gateway.example.com/anthropic', wanted: 'http://127.0.0.1:8081', by: 'file' },
            { key: 'env.ANTHROPIC_AUTH_TOKEN', now: null, wanted: null, by: 'file' },
            { key: 'env.CLAUDE_CODE_MAX_CONTEXT_TOKENS', now: '200000', wanted: '272000', by: 'gateway' },
          ],
        },
        {
          conflicts: [
            {
              code: 'managed_settings',
              weight: 'blocks',
              what: 'the settings of your organisation name another address',
              place: '/etc/claude-code/managed-settings.json: env.ANTHROPIC_BASE_URL',
              cure: 'ask whoever manages this machine; nothing of yours comes before it',
            },
            {
              code: 'shell_export',
              weight: 'warning',
              what: 'your shell exports ANTHROPIC_API_KEY, which is sent along',
              place: `${HOME}/.zshrc: ANTHROPIC_API_KEY`,
              cure: 'remove the line, or run unset ANTHROPIC_API_KEY',
            },
            { code: 'running_sessions', weight: 'note', what: 'two sessions run and keep what they started with', place: 'pid 4711, pid 4712', cure: 'start them anew' },
          ],
        },
      ),
      place(
        { state: 'clean' },
        {
          target: 'wsl:Ubuntu:ada',
          label: 'Ubuntu in Windows, ada',
          files: ['\\\\wsl.localhost\\Ubuntu\\home\\ada\\.claude\\settings.json'],
          obstacle: 'Ubuntu does not reach 127.0.0.1 of Windows: set networkingMode=mirrored in .wslconfig first',
        },
      ),
    ],
    { program: `${HOME}/.local/bin/claude`, version: '2.1.197', how: 'native', backups: 2 },
  ),
  program('codex', 'Codex CLI', [place({ state: 'ours' }, { files: [`${HOME}/.codex/config.toml`] })], { version: '0.169.0', how: 'npm', backups: 1 }),
  program('opencode', 'opencode', [place({ state: 'elsewhere', url: 'https://api.example.com/v1' }, { files: [`${HOME}/.config/opencode/opencode.json`] })], { how: 'bun' }),
  program('openclaw', 'OpenClaw', [
    place(
      { state: 'broken', why: 'openclaw.json: line 14, column 3: a key stands there twice' },
      { files: [`${HOME}/.openclaw/openclaw.json`] },
    ),
  ]),
  program('zed', 'Zed', [place({ state: 'clean' }, { files: [`${HOME}/.config/zed/settings.json`] })], { version: '0.212.4' }),
  program('cline', 'Cline', [place({ state: 'not_installed' }, { files: [`${HOME}/.cline/data/globalState.json`] })], { installed: false }),
  program('continue', 'Continue', [place({ state: 'not_installed' }, { files: [`${HOME}/.continue/config.yaml`] })], { installed: false }),
  program('cursor', 'Cursor', [place({ state: 'clean' }, { files: [], obstacle: 'Cursor asks through its own servers, which reach no address of this machine' })], { manual: '# Cursor asks through its own servers,\n# which do not reach this machine.\n' }),
  program('openai', 'OpenAI libraries', [], { installed: false }),
  program('gemini', 'Gemini CLI', [], { installed: false }),
];

const DIFF = `--- ${HOME}/.claude/settings.json
+++ ${HOME}/.claude/settings.json
@@ -1,9 +1,13 @@
 {
   // mine
   "model": "opus",
   "env": {
-    "ANTHROPIC_BASE_URL": "https://gateway.example.com/anthropic",
-    "ANTHROPIC_AUTH_TOKEN": "sk-…wxyz",
+    "ANTHROPIC_BASE_URL": "http://127.0.0.1:8081",
+    "ANTHROPIC_AUTH_TOKEN": "cf_…a1b2",
+    "CLAUDE_CODE_MAX_CONTEXT_TOKENS": "272000",
+    "NO_PROXY": "localhost,127.0.0.1,::1,internal.example.com,registry.example.com,artifacts.example.com,wiki.example.com",
     "EDITOR": "vim"
   },
   "hooks": {}
 }
@@ -40,3 +44,3 @@
   "permissions": {},
-  "skipWebFetchPreflight": false
+  "skipWebFetchPreflight": true
 }
`;

const PLAN: ClientPlan = {
  client: 'claude-code',
  target: 'user',
  plan: 'a1',
  changes: true,
  files: [
    { file: `${HOME}/.claude/settings.json`, will: 'change', diff: DIFF, warnings: ['others than you may read this file (mode 644), and a key will stand in it'] },
    { file: `${HOME}/.claude/notes.env`, will: 'create', diff: '--- /dev/null\n+++ .env\n@@ -0,0 +1,1 @@\n+A=1\n', warnings: [] },
  ],
};

const CHECKED: ClientVerification = {
  client: 'claude-code',
  target: 'user',
  verdict: 'warn',
  rows: [
    { check: 'effective_url', verdict: 'ok', message: 'goes to http://127.0.0.1:8081, by ~/.claude/settings.json' },
    { check: 'models', verdict: 'ok', message: '12 models are listed' },
    { check: 'role.haiku', verdict: 'warn', message: 'gpt-6-luna answered after 9.1 s', hint: 'try a smaller model for haiku' },
    { check: 'count_tokens', verdict: 'ok', message: 'counts 14 tokens' },
  ],
};

const BACKUPS: ClientBackup[] = [
  { id: 'b2', file: `${HOME}/.claude/settings.json`, at: '2026-11-20T10:00:00Z', first: false, bytes: 1834 },
  { id: 'b1', file: `${HOME}/.claude/settings.json`, at: '2026-10-02T08:30:00Z', first: true, bytes: 1711 },
];

export interface MadeUp {
  clients?: Program[];
  /** What is answered to whoever lists them. */
  fails?: boolean;
  /** Answers to `POST /api/clients/…` instead of what is done. */
  refuses?: { status: number; code: string; message: string; hint?: string };
}

/** From now on the page hears this of clients. What it asked for is kept, as `METHOD /path`. */
export async function makeUp(page: Page, { clients = CLIENTS, fails = false, refuses }: MadeUp = {}): Promise<string[]> {
  const asked: string[] = [];
  await page.route('**/api/clients**', async (route) => {
    const request = route.request();
    const { pathname, search } = new URL(request.url());
    asked.push(`${request.method()} ${pathname}${search}`);
    const answer = (json: unknown, status = 200) => route.fulfill({ status, json });
    const path = pathname.replace('/api/clients', '');
    if (path === '') {
      if (fails) return answer({ code: 'broken', message: 'the settings of clients cannot be read', hint: 'look at the folder' }, 500);
      return answer({ url: 'http://127.0.0.1:8081', home: HOME, clients });
    }
    if (path.endsWith('/plan')) return answer(PLAN);
    if (path.endsWith('/verify')) return answer(CHECKED);
    if (path.endsWith('/backups')) return answer({ backups: BACKUPS });
    if (/\/backups\/[^/]+$/.test(path)) return answer({ ...BACKUPS[0], diff: DIFF });
    if (refuses !== undefined) return answer({ hint: null, ...refuses }, refuses.status);
    return answer({ ...clients[0], told: 'settings.json was changed, and a copy of it is kept', notes: ['sessions that run keep what they started with'] });
  });
  return asked;
}
