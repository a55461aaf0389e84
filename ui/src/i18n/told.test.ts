import { describe, expect, it } from 'vitest';
import { Translation } from './told';

function speaking(catalogue: Record<string, string>): (text: string) => string | null {
  const translation = new Translation();
  translation.add(catalogue);
  return (text) => translation.of(text);
}

describe('what is told', () => {
  it('is recognised, however it begins and ends', () => {
    const say = speaking({ 'usage limit reached': '用量已达上限' });
    expect([say('usage limit reached'), say('Usage limit reached.')]).toEqual(['用量已达上限', '用量已达上限']);
    expect(say('usage limit')).toBeNull();
    expect(say('')).toBeNull();
  });

  it('keeps what was filled in, in the order of the other language', () => {
    const say = speaking({ 'port {port} on {0} is taken': '{0} 的端口 {port} 已被占用' });
    expect(say('Port 8081 on 127.0.0.1 is taken.')).toBe('127.0.0.1 的端口 8081 已被占用');
    expect(say('port  on  is taken')).toBe(' 的端口  已被占用');
  });

  it('drops what the other language has no use for', () => {
    expect(speaking({ '{count} file{s} changed': '更改了 {count} 个文件{s:}' })('3 files changed')).toBe('更改了 3 个文件');
  });

  it('is the sentence that says most, of those that fit', () => {
    const say = speaking({ '{0}: {why}': '{0}：{why}', 'cannot read {0}: {why}': '无法读取 {0}：{why}' });
    expect(say('cannot read /x: no')).toBe('无法读取 /x：no');
  });

  it('is not found in what others say', () => {
    const say = speaking({ '{what} works': '{what}可用', '{kind} is ready': '{kind} 已就绪' });
    expect(say('Counting tokens works')).toBe('Counting tokens可用');
    expect(say('please look whether your own proxy works')).toBeNull();
    expect(say('Demo (demo, active) is ready')).toBe('Demo (demo, active) 已就绪');
  });

  it('may hold sentences', () => {
    const say = speaking({ 'cannot read {0}: {why}': '无法读取 {0}：{why}', 'the disk is full.': '磁盘已满。' });
    expect(say('Cannot read /x: the disk is full.')).toBe('无法读取 /x：磁盘已满');
    expect(say('Cannot read /x: EIO (os error 5)')).toBe('无法读取 /x：EIO (os error 5)');
  });

  it('may be several in a row, and what is not known stays', () => {
    const say = speaking({ 'next in line': '轮到它', 'moved from {0}': '从 {0} 移来', 'Begin anew.': '请重新开始。', 'It is over.': '已结束。' });
    expect(say('next in line; moved from Work')).toBe('轮到它；从 Work 移来');
    expect(say('It is over. Begin anew.')).toBe('已结束。请重新开始。');
    expect(say('next in line; whatever')).toBe('轮到它；whatever');
    expect(say('an upstream: says whatever')).toBeNull();
  });

  it('has no end without one', () => {
    expect(speaking({ '{0} before or after {1}': '{0}先后{1}' })('a before or after b before or after c')).toBe('a先后b先后c');
  });

  it('takes no time to be unknown', () => {
    const say = speaking(Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`{a} is ${at % 7}: {b}`, `{a}${at}{b}`])));
    const begun = performance.now();
    say('a is 1: b is 2: c; '.repeat(60));
    expect(performance.now() - begun).toBeLessThan(2_000);
  });

  it('takes signs for signs', () => {
    expect(speaking({ 'use (a|b) in [{0}]? $1': '用 {0} $1' })('use (a|b) in [x]? $1')).toBe('用 x $1');
  });
});
