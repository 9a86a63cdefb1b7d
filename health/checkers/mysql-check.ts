// The MySQL heartbeat, also for MariaDB: the server's handshake; with a user also the login and `@@global.read_only`, which is 1
// on replicas. Thread: main.

import { defineChecker } from './checker.ts';
import { type Dialogue, type DialogueStep, failed, PASSED, runDialogue } from './dialogue-check.ts';
import {
  encryptedPassword,
  errorText,
  loginBody,
  type MysqlPacket,
  packetIn,
  packetOf,
  proofOf,
  readHandshake,
  readSwitch,
} from './mysql-packet.ts';
import { judgeRole, loginOptions, type LoginSettings, loginSettings, roleOption } from './role.ts';

/** First byte of a packet. */
const OK = 0x00;
const MORE_DATA = 0x01;
const END = 0xfe;
const ERROR = 0xff;
/** Of caching_sha2_password, after MORE_DATA. */
const FAST_OK = 3;
const FULL_AUTHENTICATION = 4;
const REQUEST_KEY = Buffer.from([2]);
const QUIT = packetOf(0, Buffer.from([1]));
const QUERY = packetOf(0, Buffer.from('\u0003SELECT @@global.read_only', 'latin1'));

type Step = Omit<DialogueStep, 'used'>;

export class MysqlDialogue implements Dialogue {
  readonly #settings: LoginSettings;
  #nonce: Buffer = Buffer.alloc(20);
  /** The packet that is expected. */
  #phase: 'handshake' | 'login' | 'key' | 'columns' | 'column' | 'columns-end' | 'row' = 'handshake';

  constructor(settings: LoginSettings) {
    this.#settings = settings;
  }

  /** The server speaks first. */
  open(): Uint8Array {
    return Buffer.alloc(0);
  }

  receive(bytes: Buffer): DialogueStep | null {
    const packet = packetIn(bytes);
    return packet === null ? null : { used: packet.size, ...this.#take(packet) };
  }

  #take(packet: MysqlPacket): Step {
    const { body } = packet;
    if (body.length === 0) return { result: failed('a malformed answer') };
    if (body[0] === ERROR) return { result: failed(`got ${errorText(body)}`) };
    switch (this.#phase) {
      case 'handshake':
        return this.#greet(packet);
      case 'login':
        return this.#login(packet);
      case 'key':
        return this.#sendPassword(packet);
      case 'columns':
        this.#phase = 'column';
        return body[0] === 1 ? {} : { send: QUIT, result: failed('a malformed answer') };
      case 'column':
        this.#phase = 'columns-end';
        return {};
      case 'columns-end':
        this.#phase = 'row';
        return {};
      default:
        return { send: QUIT, result: this.#judge(body) };
    }
  }

  #greet({ sequence, body }: MysqlPacket): Step {
    const handshake = readHandshake(body);
    if (handshake === null) return { result: failed('an answer that is not MySQL') };
    const { user, secrets } = this.#settings;
    if (user === '') return { result: PASSED };
    this.#nonce = handshake.nonce;
    const proof = proofOf(handshake.plugin, secrets.password, handshake.nonce);
    this.#phase = 'login';
    // The server switches to the plugin of the user, whatever the first proof was.
    return { send: packetOf(sequence + 1, loginBody(user, handshake.plugin, proof ?? Buffer.alloc(0))) };
  }

  #login({ sequence, body }: MysqlPacket): Step {
    const { password } = this.#settings.secrets;
    if (body[0] === OK) {
      this.#phase = 'columns';
      return { send: QUERY };
    }
    if (body[0] === END) {
      const { plugin, nonce } = readSwitch(body);
      const proof = proofOf(plugin, password, nonce);
      this.#nonce = nonce;
      if (proof === null)
        return { result: failed(`an authentication that heartbeats do not have (${plugin.slice(0, 40)})`) };
      return { send: packetOf(sequence + 1, proof) };
    }
    if (body[0] !== MORE_DATA) return { result: failed('a malformed answer') };
    if (body[1] === FAST_OK) return {};
    if (body[1] !== FULL_AUTHENTICATION) return { result: failed('a malformed answer') };
    this.#phase = 'key';
    return { send: packetOf(sequence + 1, REQUEST_KEY) };
  }

  #sendPassword({ sequence, body }: MysqlPacket): Step {
    if (body[0] !== MORE_DATA) return { result: failed('a malformed answer') };
    this.#phase = 'login';
    try {
      const password = encryptedPassword(this.#settings.secrets.password, this.#nonce, body.subarray(1));
      return { send: packetOf(sequence + 1, password) };
    } catch {
      return { result: failed('a malformed RSA key') };
    }
  }

  /** A row of one column: `0` or `1`. */
  #judge(body: Buffer): HeartbeatStepResult {
    const value = body[0] === 1 ? String.fromCharCode(body.readUInt8(1)) : '';
    if (value !== '0' && value !== '1') return failed('a malformed answer');
    return judgeRole(value === '1' ? 'replica' : 'primary', this.#settings);
  }
}

type HeartbeatStepResult = NonNullable<DialogueStep['result']>;

export const mysql = defineChecker({
  name: 'mysql',
  options: ({ z }) => ({ ...loginOptions(z), expectRole: roleOption(z) }),
  check: ({ user, password, expectRole }) => {
    if (user !== undefined || (password === undefined && expectRole === undefined)) return [];
    const key = expectRole === undefined ? 'password' : 'expectRole';
    return [{ code: 'FL3007', message: `${key} needs a user to log in as`, path: [key], isKey: true }];
  },
  compile: loginSettings,
  run: (target, done) => runDialogue(target, new MysqlDialogue(target.heartbeat), done),
  describe: ({ role, user }) => (role === '' ? `MySQL ${user === '' ? 'handshake' : 'login'}` : `MySQL ${role}`),
  covers: () => true,
});
