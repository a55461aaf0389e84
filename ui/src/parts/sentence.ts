// What the gateway says, as it is shown.

/** What is said in the middle of a sentence, as one of its own. A name keeps its letters. */
export function sentence(text: string): string {
  const [first = ''] = text.split(' ');
  // Files, models and keys are not words: settings.json, gpt-6-luna, top_k.
  return /^[a-z]+(-[a-z]+)*[’'a-z]*[,:;.]?$/.test(first) ? text.slice(0, 1).toUpperCase() + text.slice(1) : text;
}
