// A sentence of the gateway's, recognised, and said in another language. Nothing here knows which language that is.
//
// The gateway says English. A catalogue holds, for each sentence it can say, the same in another language; both have the places
// where something is filled in: `port {port} is free`. What is told is one of these with the places filled, or several in a row.
// What is no such sentence, an upstream's words or an error of the system's, stays as it came.

export type Catalogue = Readonly<Record<string, string>>;

interface Form {
  readonly names: readonly string[];
  /** What stands before, between and behind the places. */
  readonly words: readonly string[];
  /** How much of it is words: of two that fit, the one that says more is meant. */
  readonly weight: number;
  readonly says: string;
}

/** A sentence of so few letters is one only around a few words: it would be found in anybody's. */
const WEAK = 14;
const FEW_WORDS = 4;
/** What is longer is none of ours. */
const LONGEST = 2_000;
const PLACE = /\{(\w+)\}/;
/** How several sentences are put into one text, and how the other language does it. */
const JOINTS: readonly [RegExp, string][] = [
  [/; /, '；'],
  [/(?<=[.!?]) (?=[A-Z`"'/~0-9])/, ''],
  [/: /, '：'],
];

/** Without what a sentence gains by standing alone: its capital and its full stop. */
const bare = (text: string): string => small(text).replace(/\.$/, '');
const small = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1);

function form(template: string, says: string): Form {
  const pieces = template.replace(/\.$/, '').split(PLACE);
  const [first = '', ...words] = pieces.filter((_, at) => at % 2 === 0);
  const names = pieces.filter((_, at) => at % 2 === 1);
  return { names, words: [small(first), ...words], weight: first.length + words.join('').length, says };
}

/** What stands in the places, if the text has these words: as little as can be in each but the last. */
function filling(text: string, [first = '', ...words]: readonly string[]): string[] | null {
  if (!text.startsWith(first.slice(1), Math.min(1, first.length)) || small(text.slice(0, first.length)) !== first) return null;
  const values: string[] = [];
  const last = words.pop() ?? '';
  let at = first.length;
  for (const word of words) {
    const next = text.indexOf(word, at);
    if (next < 0) return null;
    values.push(text.slice(at, next));
    at = next + word.length;
  }
  const end = text.length - last.length;
  return end < at || !text.endsWith(last) ? null : [...values, text.slice(at, end)];
}

export class Translation {
  readonly #whole = new Map<string, string>();
  readonly #forms: Form[] = [];
  readonly #said = new Map<string, string | null>();

  add(catalogue: Catalogue): void {
    for (const [template, says] of Object.entries(catalogue)) {
      if (PLACE.test(template)) this.#forms.push(form(template, says));
      else this.#whole.set(bare(template), says);
    }
    this.#forms.sort((one, other) => other.weight - one.weight);
    this.#said.clear();
  }

  /** The same in the other language. `null`: nothing of it is known. */
  of(text: string): string | null {
    let said = this.#said.get(text);
    if (said === undefined) {
      if (this.#said.size > 2_000) this.#said.clear();
      said = text.length > LONGEST ? null : this.#say(text.trim());
      this.#said.set(text, said);
    }
    return said;
  }

  /** Each piece is read once, however many ways lead to it. A piece is shorter than what it is a piece of. */
  #say(text: string): string | null {
    let said = this.#said.get(text);
    if (said === undefined) {
      said = text === '' ? null : (this.#whole.get(bare(text)) ?? this.#filled(text) ?? this.#inParts(text));
      this.#said.set(text, said);
    }
    return said;
  }

  #filled(text: string): string | null {
    const ended = text.replace(/\.$/, '');
    for (const { names, words, weight, says } of this.#forms) {
      const found = filling(ended, words);
      if (found === null || (weight < WEAK && found.some((value) => this.#isForeign(value)))) continue;
      const values = Object.fromEntries(names.map((name, at) => [name, this.#inside(found[at] ?? '')]));
      return says.replace(/\{(\w+)(:?)\}/g, (_, name: string, dropped: string) => (dropped ? '' : (values[name] ?? '')));
    }
    return null;
  }

  #isForeign(text: string): boolean {
    return text.split(' ').length > FEW_WORDS && this.#say(text) === null;
  }

  /** What is filled in may be a sentence itself. There it has no full stop. */
  #inside(text: string): string {
    return this.#say(text)?.replace(/。$/, '') ?? text;
  }

  #inParts(text: string): string | null {
    for (const [joint, joins] of JOINTS) {
      const parts = text.split(joint);
      if (parts.length < 2) continue;
      const said = parts.map((part) => this.#say(part));
      if (said.some((part) => part !== null)) return said.map((part, at) => part ?? parts[at]).join(joins);
    }
    return null;
  }
}
