import svelte from 'eslint-plugin-svelte';
import tseslint from 'typescript-eslint';
import config from './svelte.config.js';

/** Who may import whom. Folders of `src`, and those each may not reach into. */
const TIERS = {
  // What everything stands on.
  i18n: ['api', 'platform', 'state', 'shared', 'parts', 'frame', 'screens', 'shell'],
  api: ['platform', 'state', 'shared', 'parts', 'frame', 'screens', 'shell'],
  platform: ['api', 'state', 'shared', 'parts', 'frame', 'screens', 'shell'],
  state: ['shared', 'parts', 'frame', 'screens', 'shell'],
  // Looks, and knows nothing of what it shows.
  shared: ['api', 'platform', 'state', 'parts', 'frame', 'screens', 'shell'],
  charts: ['api', 'platform', 'state', 'parts', 'frame', 'screens', 'shell'],
  // Pieces that several screens need, which know what they show.
  parts: ['frame', 'screens', 'shell'],
  frame: ['screens', 'shell'],
  shell: ['frame', 'screens'],
};
const SCREENS = ['overview', 'accounts', 'requests', 'usage', 'models', 'clients', 'playground', 'settings', 'onboarding'];

const TAURI = { group: ['@tauri-apps/*'], message: 'Only src/platform/tauri.ts speaks to the shell.' };
const into = (folder, why) => ({ group: [`**/${folder}/**`, `**/${folder}`], message: why });
const only = (files, patterns) => ({ files, rules: { 'no-restricted-imports': ['error', { patterns }] } });

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'src/**/*.gen.ts', 'public'] },
  ...tseslint.configs.recommended,
  ...svelte.configs.recommended,
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: tseslint.parser, extraFileExtensions: ['.svelte'], svelteConfig: config } },
  },
  {
    rules: {
      'no-undef': 'off',
      'no-console': ['error', { allow: ['warn'] }],
      eqeqeq: 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      // Whatever comes from elsewhere is shown as text.
      'svelte/no-at-html-tags': 'error',
      'svelte/no-navigation-without-resolve': 'off',
    },
  },
  { files: ['**/*.svelte'], rules: { 'max-lines': ['error', { max: 200 }] } },
  { files: ['e2e/**'], rules: { 'no-console': 'off' } },
  { files: ['scripts/**'], languageOptions: { globals: { process: 'readonly', console: 'readonly' } }, rules: { 'no-console': 'off' } },
  only(['src/**/*.{ts,svelte}'], [TAURI]),
  ...Object.entries(TIERS).map(([tier, others]) =>
    only(
      [`src/${tier}/**/*.{ts,svelte}`],
      [TAURI, ...others.map((other) => into(other, `src/${tier} does not know src/${other}.`))],
    ),
  ),
  ...SCREENS.map((screen) =>
    only(
      [`src/screens/${screen}/**/*.{ts,svelte}`],
      [
        TAURI,
        into('frame', 'A screen does not know the frame around it.'),
        ...SCREENS.filter((other) => other !== screen).map((other) => into(other, 'Screens do not know one another.')),
      ],
    ),
  ),
  { files: ['src/platform/tauri.ts'], rules: { 'no-restricted-imports': 'off' } },
);
