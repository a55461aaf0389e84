// Checks the sentences and writes their types.
//
//   node scripts/messages.mjs          every language has every sentence, with the same parameters; else exit 1
//   node scripts/messages.mjs --used   also: every sentence is used somewhere (that what is used exists is for the types)
//
// A sentence is a text with {parameters}, or one text for each plural form of {count}.
//
// What the gateway says is in said.gen.json, as its sources have it. Of these, too, each is in every language but English;
// {parameter:} drops one, the plural of an English word for instance.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('..', import.meta.url));

/** The parameters of a sentence, each once, in order of their names. */
export function parameters(sentence) {
  const texts = typeof sentence === 'string' ? [sentence] : Object.values(sentence);
  const found = texts.flatMap((text) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]));
  if (typeof sentence !== 'string') found.push('count');
  return [...new Set(found)].sort();
}

/** What is wrong with these languages; `languages` is `{ en: {...}, zh: {...} }`, and the first one is the model. */
export function problems(languages) {
  const [[model, sentences], ...others] = Object.entries(languages);
  const wrong = [];
  for (const [language, theirs] of Object.entries(languages)) {
    const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    for (const [key, sentence] of Object.entries(theirs)) {
      const texts = typeof sentence === 'string' ? { text: sentence } : sentence;
      for (const [form, text] of Object.entries(texts)) {
        if (typeof text !== 'string' || text.trim() === '') wrong.push(`${language}: ${key} is empty`);
        if (form !== 'text' && !forms.includes(form)) wrong.push(`${language}: ${key} has a form "${form}" that the language has not`);
      }
      for (const form of typeof sentence === 'string' ? [] : forms) {
        if (!(form in sentence)) wrong.push(`${language}: ${key} lacks the form "${form}"`);
      }
    }
  }
  for (const [language, theirs] of others) {
    for (const key of Object.keys(sentences)) {
      if (!(key in theirs)) wrong.push(`${language}: ${key} is missing`);
      else if (parameters(theirs[key]).join() !== parameters(sentences[key]).join())
        wrong.push(`${language}: ${key} has other parameters than in ${model}`);
    }
    for (const key of Object.keys(theirs)) if (!(key in sentences)) wrong.push(`${language}: ${key} is not in ${model}`);
  }
  return wrong;
}

/** What is wrong with the sentences of the gateway in a language: `{ area: [sentence, …] }`, and `{ area: { sentence: its own } }`. */
export function unsaid(language, said, theirs) {
  const wrong = [];
  for (const area of new Set([...Object.keys(said), ...Object.keys(theirs)])) {
    const [sentences, known] = [said[area] ?? [], theirs[area] ?? {}];
    const where = `said/${area}.${language}`;
    for (const sentence of sentences) {
      const own = known[sentence];
      if (typeof own !== 'string' || own.trim() === '') wrong.push(`${where}: what the gateway says is missing: ${JSON.stringify(sentence)}`);
      else if (parameters(own.replaceAll(/\{(\w+):\}/g, '{$1}')).join() !== parameters(sentence).join())
        wrong.push(`${where}: other parameters than in ${JSON.stringify(sentence)}`);
    }
    for (const sentence of Object.keys(known)) {
      if (!sentences.includes(sentence)) wrong.push(`${where}: the gateway does not say this any more: ${JSON.stringify(sentence)}`);
    }
  }
  return wrong;
}

/** The keys that a source may name: quoted words with a dot, and prefixes of keys that are put together: t(`a.${x}`). */
export function named(source) {
  const keys = [...source.matchAll(/['"](\w+\.\w+)['"]/g)].map((match) => match[1]);
  const prefixes = [...source.matchAll(/\bt\(\s*`(\w+\.\w*)\$\{/g)].map((match) => match[1]);
  return { keys, prefixes };
}

/** The types, as a module. */
export function types(sentences) {
  const kind = (sentence, name) => (name === 'count' && typeof sentence !== 'string' ? 'number' : 'string | number');
  const rows = Object.entries(sentences).map(([key, sentence]) => {
    const fields = parameters(sentence).map((name) => `${name}: ${kind(sentence, name)}`);
    return `  '${key}': ${fields.length === 0 ? 'undefined' : `{ ${fields.join('; ')} }`};`;
  });
  return `// Written by scripts/messages.mjs from messages/en.json.\n\nexport interface Parameters {\n${rows.join('\n')}\n}\n`;
}

function unused(sentences) {
  const keys = new Set();
  const prefixes = new Set();
  for (const name of readdirSync(join(here, 'src'), { recursive: true })) {
    if (!/\.(ts|svelte)$/.test(name) || /\.(gen|test)\.ts$/.test(name)) continue;
    const found = named(readFileSync(join(here, 'src', name), 'utf8'));
    found.keys.forEach((key) => keys.add(key));
    found.prefixes.forEach((prefix) => prefixes.add(prefix));
  }
  const covered = (key) => keys.has(key) || [...prefixes].some((prefix) => key.startsWith(prefix));
  return Object.keys(sentences).filter((key) => !covered(key)).map((key) => `en: ${key} is used nowhere`);
}

function main() {
  const read = (language) => JSON.parse(readFileSync(join(here, 'messages', `${language}.json`), 'utf8'));
  const languages = { en: read('en'), zh: read('zh') };
  const wrong = problems(languages);
  const said = JSON.parse(readFileSync(join(here, 'messages', 'said.gen.json'), 'utf8'));
  for (const language of Object.keys(languages).filter((language) => language !== 'en')) {
    const theirs = Object.keys(said).map((area) => [area, read(`said/${area}.${language}`)]);
    wrong.push(...unsaid(language, said, Object.fromEntries(theirs)));
  }
  if (process.argv.includes('--used')) wrong.push(...unused(languages.en));
  if (wrong.length > 0) {
    console.error(`messages: ${wrong.length} to mend\n  ${wrong.join('\n  ')}`);
    process.exit(1);
  }
  const file = join(here, 'src', 'i18n', 'messages.gen.ts');
  const text = types(languages.en);
  let before = '';
  try {
    before = readFileSync(file, 'utf8');
  } catch {
    // The first time.
  }
  if (before !== text) writeFileSync(file, text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
