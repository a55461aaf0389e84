import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { curl, KEY, quoted, sketch } from './curl';

const request = {
  line: 'POST /v1/messages?beta=true HTTP/1.1',
  headers: ['host: 127.0.0.1:8081', 'Authorization: Bearer cf_secret', 'X-Api-Key: cf_secret', 'anthropic-version: 2023-06-01', "x-quote: it's"],
  body: { bytes: 20, json: { model: 'opus', text: "it's $HOME `now` \\ \n" } },
};

describe('copy as curl', () => {
  it('has a placeholder for the key and nothing of the connection', () => {
    const command = curl(request, 'http://127.0.0.1:8081') ?? '';
    expect(command).toContain("curl --no-buffer -X POST 'http://127.0.0.1:8081/v1/messages?beta=true'");
    expect(command).toContain(`Authorization: Bearer ${KEY}`);
    expect(command).not.toContain('cf_secret');
    expect(command).not.toMatch(/host:/i);
  });

  it('reaches a shell word for word', () => {
    const command = (curl(request, 'http://127.0.0.1:8081') ?? '').replace('curl', 'printf "%s\\0"');
    const words = execFileSync('sh', ['-c', command]).toString().split('\0');
    expect(words).toContain(JSON.stringify(request.body.json));
    expect(words).toContain("x-quote: it's");
    expect(execFileSync('sh', ['-c', `printf %s ${quoted("a'b\n$(c)")}`]).toString()).toBe("a'b\n$(c)");
  });

  it('is not made of half a body', () => {
    expect(curl({ ...request, body: { bytes: 9, cut: 4, text: '{"mod' } }, 'http://x')).toBe(null);
  });

  it('is a sketch where nothing was captured', () => {
    const command = sketch({ path: '/v1/messages', asked: 'opus', model: 'sol', streamed: true }, 'http://127.0.0.1:8081');
    expect(command).toContain('"model":"opus"');
    expect(command).toContain('"stream":true');
  });
});
