// What the gateway says, as it is shown.

/** What is said in the middle of a sentence, as one of its own. A name keeps its letters. */
export function sentence(text: string): string {
  const [first = ''] = text.split(' ');
  return first.includes('_') ? text : text.slice(0, 1).toUpperCase() + text.slice(1);
}
