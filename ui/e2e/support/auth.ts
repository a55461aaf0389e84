// A host to sign in at. It lets everybody in who comes with a code, or nobody who comes with a browser.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const token = (claims: object) => `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.${Buffer.from('unsigned').toString('base64url')}`;

export class AuthHost {
  /** Who signs in next. */
  who = 'work';
  /** Whether somebody has typed the code. */
  typed = false;
  readonly #server = createServer((request, response) => this.#answer(request, response));

  static async start(): Promise<AuthHost> {
    const host = new AuthHost();
    await new Promise<void>((resolve) => host.#server.listen(0, '127.0.0.1', resolve));
    return host;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.url);
    const json = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const back = url.searchParams.get('redirect_uri');
    if (back !== null) {
      const to = new URL(back);
      to.searchParams.set('error', 'access_denied');
      to.searchParams.set('state', url.searchParams.get('state') ?? '');
      response.writeHead(302, { location: to.href }).end();
    } else if (url.pathname.endsWith('/deviceauth/usercode')) {
      json(200, { device_auth_id: 'device', user_code: 'FERRY-42', interval: '1' });
    } else if (url.pathname.endsWith('/deviceauth/token')) {
      if (this.typed) json(200, { authorization_code: 'code', code_verifier: 'verifier', code_challenge: 'challenge' });
      else json(403, { error: { code: 'deviceauth_authorization_pending' } });
    } else if (url.pathname.endsWith('/oauth/token')) {
      json(200, this.#tokens());
    } else {
      json(200, {});
    }
  }

  #tokens(): object {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: 'https://auth.openai.com',
      aud: ['app_EMoamEEZ73f0CkXaXp7hrann'],
      sub: `user-${this.who}`,
      iat: now,
      exp: now + 36_000,
      email: `${this.who}@demo.test`,
      'https://api.openai.com/auth': {
        chatgpt_account_id: `workspace-${this.who}`,
        chatgpt_plan_type: 'plus',
        chatgpt_user_id: `user-${this.who}`,
        user_id: `user-${this.who}`,
      },
      'https://api.openai.com/profile': { email: `${this.who}@demo.test`, email_verified: true },
    };
    return { id_token: token(claims), access_token: token(claims), refresh_token: `refresh-${this.who}`, expires_in: 36_000 };
  }
}
