import { describe, expect, it } from 'vitest';
import { diffLines } from './diff';

const DIFF = `--- ~/.claude/settings.json
+++ ~/.claude/settings.json
@@ -1,4 +1,5 @@
 {
-  "model": "opus"
+  "model": "opus",
+  "env": {}
 }
@@ -40,1 +41,1 @@
--- not a heading
+++ nor this
\\ No newline at end of file
`;

describe('a diff', () => {
  it('says of each line what becomes of it, and where it stands', () => {
    expect(diffLines(DIFF)).toEqual([
      { kind: 'same', text: '{', number: 1 },
      { kind: 'removed', text: '  "model": "opus"', number: 2 },
      { kind: 'added', text: '  "model": "opus",', number: 2 },
      { kind: 'added', text: '  "env": {}', number: 3 },
      { kind: 'same', text: '}', number: 4 },
      { kind: 'gap', text: '', number: null },
      { kind: 'removed', text: '-- not a heading', number: 40 },
      { kind: 'added', text: '++ nor this', number: 41 },
      { kind: 'note', text: 'No newline at end of file', number: null },
    ]);
  });

  it('says what in a line is new, where one line becomes another', () => {
    const lines = diffLines('@@ -1,2 +1,2 @@\n-  "env": { "A": "1" },\n-x\n+  "env": { "A": "1", "B": "2" },\n+quite another\n');
    expect(lines.map((line) => line.mark && line.text.slice(...line.mark))).toEqual(['', undefined, ', "B": "2"', undefined]);
  });

  it('is nothing where nothing changes', () => {
    expect(diffLines('')).toEqual([]);
  });
});
