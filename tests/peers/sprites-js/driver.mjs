// Drives the official JavaScript SDK of Sprites against the server in SPRITES_ENDPOINT with the token in SPRITES_TOKEN.
//
//     driver.mjs steps             every call of the SDK in turn; one JSON line each: step, ok, value or error
//     driver.mjs MODE SPRITE ARG…  one job: see `modes` at the end
//
// What the lines must hold is not known here: the tests compare them.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { SpritesClient } from '@fly/sprites';

const baseURL = process.env.SPRITES_ENDPOINT;
const token = process.env.SPRITES_TOKEN;
const HOME = '/home/sprite';
const LIMIT = 60_000; // milliseconds for one step

const client = new SpritesClient(token, { baseURL });
const box = client.sprite('box');
const fs = box.filesystem(HOME);

const steps = [];

/** Declares a step; they are run in this order, and what the function returns is the value. */
function step(name, work) {
  steps.push([[name, work]]);
}

/** Declares a step that is run together with the other ones of its kind. */
const terminals = [];
function terminal(name, work) {
  if (terminals.push([name, work]) === 1) steps.push(terminals);
}

function late() {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`not done after ${LIMIT} ms`)), LIMIT).unref();
  });
}

/** What is left of an error: its class and text, and what the SDK adds. */
function told(error) {
  return {
    class: error?.constructor?.name,
    text: String(error?.message),
    ...(error?.statusCode !== undefined && { status: error.statusCode }),
    ...(error?.code !== undefined && { code: error.code }),
    ...(error?.exitCode !== undefined && { exit: error.exitCode, stderr: String(error.stderr) }),
  };
}

async function runStep([name, work]) {
  let line;
  try {
    line = { step: name, ok: true, value: (await Promise.race([work(), late()])) ?? null };
  } catch (error) {
    line = { step: name, ok: false, error: told(error) };
  }
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function runSteps() {
  for (const group of steps) await Promise.all(group.map(runStep));
}

/** Waits for what another process or the server does. */
async function until(check, what) {
  for (const end = Date.now() + 30_000; ;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await pause(20);
  }
}

/** A started command: what it printed so far, and its end. */
class Background {
  constructor(command) {
    this.command = command;
    this.out = '';
    command.stdout.on('data', data => { this.out += data; });
    command.stderr.on('data', () => {});
    this.exit = new Promise((resolve, reject) => {
      command.on('exit', resolve);
      command.on('error', reject);
    });
    this.exit.catch(() => {}); // it may fail before anyone waits
  }

  async says(text) {
    return until(() => this.out.includes(text), `${text} in ${JSON.stringify(this.out)}`);
  }
}

/** The session whose command holds this text, once there is one. */
async function sessionOf(text) {
  return until(async () => (await box.listSessions()).find(session => session.command.includes(text)), `session ${text}`);
}

async function ended(text) {
  return until(async () => !(await box.listSessions()).some(s => s.command.includes(text)), `the end of session ${text}`);
}

function about(sprite) {
  return {
    name: sprite.name,
    labels: [...sprite.labels].sort(),
    auth: sprite.urlSettings?.auth,
    id: String(sprite.id).startsWith('sprite-'),
    status: ['cold', 'warm', 'running'].includes(sprite.status),
    url: String(sprite.url).startsWith('http'),
    organization: Boolean(sprite.organizationName),
    created: !Number.isNaN(sprite.createdAt?.getTime()) && !Number.isNaN(sprite.updatedAt?.getTime()),
  };
}

/** The result of exec, whatever the exit code. */
async function ran(promise) {
  const result = await promise.catch(error => {
    if (error.result) return error.result;
    throw error;
  });
  return { code: result.exitCode, stdout: String(result.stdout), stderr: String(result.stderr) };
}

/** The same bytes in every run, beginning with each stream id of the exec protocol. */
function someBytes(size) {
  const bytes = Buffer.alloc(size);
  let state = 1;
  for (let at = 0; at < size; at += 1) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    bytes[at] = state >> 16;
  }
  Buffer.from([3, 0, 4, 1, 2, 255]).copy(bytes);
  return bytes;
}

const digest = data => createHash('sha256').update(data).digest('hex');

async function all(stream) {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** spawn with this on stdin; its output as one buffer. */
async function fed(input, command, args, options) {
  const child = box.spawn(command, args, options);
  const parts = [];
  child.stdout.on('data', data => parts.push(data));
  const exit = new Promise((resolve, reject) => {
    child.on('exit', resolve);
    child.on('error', reject);
  });
  await Promise.race([once(child, 'spawn'), exit]);
  child.stdin.end(input);
  return { code: await exit, out: Buffer.concat(parts) };
}

// Sprites

step('sprite.create', async () =>
  about(await client.createSprite('box', { labels: ['one', 'two'], urlSettings: { auth: 'sprite' } })));
step('sprite.create.taken', () => client.createSprite('box'));
step('sprite.create.bad_name', () => client.createSprite('Not A Name!'));
step('sprite.get', async () => about(await client.getSprite('box')));
step('sprite.get.missing', () => client.getSprite('nothing-here'));
step('sprite.bad_token', () => new SpritesClient('not/the/right/token', { baseURL }).getSprite('box'));
step('sprite.update', async () =>
  about(await client.updateSprite('box', { labels: ['three'], urlSettings: { auth: 'public' } })));
step('sprite.update.url', async () => {
  await client.updateURLSettings('box', { auth: 'sprite' });
  return about(await client.getSprite('box'));
});
step('sprite.update.bad_auth', () => client.updateURLSettings('box', { auth: 'nobody' }));
step('sprite.list', async () => {
  for (let number = 0; number < 105; number += 1) {
    await client.createSprite(`page-${String(number).padStart(3, '0')}`);
  }
  const first = await client.listSprites({ prefix: 'page-', maxResults: 2 });
  const second = await client.listSprites({
    prefix: 'page-', maxResults: 2, continuationToken: first.nextContinuationToken,
  });
  return [first, second].map(page => [page.sprites.map(sprite => sprite.name), page.hasMore]);
});
step('sprite.list.all', async () => {
  const names = (await client.listAllSprites('page-')).map(sprite => sprite.name);
  return { count: names.length, distinct: new Set(names).size, all: (await client.listAllSprites()).length };
});
step('sprite.upgrade', () => client.upgradeSprite('box'));
step('sprite.restart', async () => {
  const result = await box.restart();
  return { name: result.spriteName, machine: Boolean(result.machineId), message: Boolean(result.message) };
});
step('sprite.check', async () => {
  await box.execFile('true'); // awake for certain
  const result = await box.check();
  return {
    name: result.spriteName, id: result.spriteId.startsWith('sprite-'), status: result.status,
    checked: !Number.isNaN(result.checkedAt.getTime()),
  };
});
step('sprite.watch', async () => {
  const stream = await client.watchSprites({ prefix: 'watched' });
  await client.createSprite('watched');
  for await (const event of stream) {
    if (event.name === 'watched') {
      return {
        status: ['cold', 'warm', 'running'].includes(event.status), organization: Boolean(event.organization.name),
      };
    }
  }
  throw new Error('the stream ended without the sprite');
});

// Exec

step('exec.run', () => ran(box.execFile('sh', ['-c', 'echo out; echo err >&2'])));
step('exec.split', async () => (await box.exec("echo 'a b'")).stdout); // splits at blanks, and keeps the quotes
step('exec.arguments', async () =>
  (await box.execFile('printf', ['%s|', 'a b', 'q\'"', '', '*', '$HOME', '+&%20=', '\n', 'ü'])).stdout);
step('exec.env', async () => {
  const env = { PATH: '/usr/bin:/bin', GREETING: 'a b=c&d+e%20\nü' };
  return (await box.execFile('sh', ['-c', 'printf %s "$GREETING"'], { env })).stdout;
});
step('exec.dir', async () => {
  await fs.writeFile('work/file', '');
  return (await box.execFile('sh', ['-c', 'basename "$PWD"; ls'], { cwd: `${HOME}/work` })).stdout;
});
step('exec.exit_codes', async () => {
  const codes = [];
  for (const script of ['exit 0', 'exit 1', 'exit 3', 'exit 126', 'exit 255', 'kill -TERM $$', 'kill -KILL $$']) {
    codes.push((await ran(box.execFile('sh', ['-c', script]))).code);
  }
  return codes;
});
step('exec.check', () => box.execFile('sh', ['-c', 'echo oops >&2; exit 3']));
step('exec.not_found', async () => (await ran(box.execFile('surely-not-there'))).code);
step('exec.missing_sprite', () => client.sprite('nothing-here').execFile('true'));
step('exec.stdin', async () => String((await fed('hi\nthere', 'cat')).out));
step('exec.stdin.empty', async () => String((await fed('', 'wc', ['-c'])).out).trim());
step('exec.stdin.unread', async () => String((await fed(Buffer.alloc(1 << 20, 'x'), 'head', ['-c', '2'])).out));
step('exec.stdin.never_closed', async () => {
  // exec declares a stdin and never closes it: a command that reads to its end does not end.
  const run = box.execFile('cat').then(() => 'ended', () => 'failed');
  await all(await box.killSession((await sessionOf('cat')).id, 'SIGKILL', '0s'));
  return run;
});
step('exec.binary', async () => {
  const data = someBytes(5 << 20);
  const { out } = await fed(data, 'cat');
  return { size: out.length, same: digest(out) === digest(data) };
});
step('exec.binary.out', async () => {
  const { out } = await fed('', 'head', ['-c', '20000000', '/dev/zero']);
  return { size: out.length, same: out.every(byte => byte === 0) };
});
step('exec.max_buffer', () => box.execFile('head', ['-c', '20000000', '/dev/zero'], { encoding: 'buffer' }));
// Of frames that arrive together the SDK sees the first alone (Node joins the chunks of a body that wait to be read), so
// that a quick command has no exit for it. These take their time between what they say.
const slowly = (...words) => ['-c', words.join('; sleep 0.3; ')];
step('exec.http', () => ran(box.execFileHTTP('sh', slowly('echo out', 'echo err >&2', 'exit 3'))));
step('exec.http.stdin', async () =>
  (await box.execFileHTTP('sh', slowly('cat', 'true'), { input: 'hi', env: { PATH: '/usr/bin:/bin' }, cwd: HOME })).stdout);
step('exec.http.no_stdin', async () => (await box.execFileHTTP('sh', slowly('wc -c', 'true'))).stdout.trim());
step('exec.http.timeout', () => box.execFileHTTP('sleep', ['7001'], { timeout: 300 }));
step('exec.http.missing_sprite', () => client.sprite('nothing-here').execFileHTTP('true'));
step('exec.signal', async () => {
  const script = 'trap "echo got; exit 3" TERM; echo ready; while :; do sleep 0.05; done';
  const run = new Background(box.spawn('sh', ['-c', script]));
  await run.says('ready');
  run.command.kill('SIGTERM');
  return [await run.exit, run.out];
});

// Sessions

step('session.list', async () => {
  const run = new Background(box.spawn('sleep', ['7002']));
  const session = await sessionOf('7002');
  await all(await box.killSession(session.id));
  return {
    command: session.command.split('/').at(-1), id: typeof session.id === 'string' && session.id !== '',
    tty: session.tty, workdir: session.workdir !== '', age: Math.abs(Date.now() - session.created.getTime()) < 60_000,
    code: await run.exit,
  };
});
step('session.kill', async () => {
  const run = new Background(box.spawn('sh', ['-c', 'echo ready; exec sleep 7003']));
  await run.says('ready');
  const events = await all(await box.killSession((await sessionOf('7003')).id));
  await ended('7003');
  return { code: await run.exit, types: events.map(event => event.type), exit: events.at(-1).exitCode };
});
step('session.kill.escalates', async () => {
  const run = new Background(box.spawn('sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 0.05; done # 7004']));
  await run.says('ready');
  const events = await all(await box.killSession((await sessionOf('7004')).id, 'SIGTERM', '300ms'));
  return { code: await run.exit, types: events.map(event => event.type), exit: events.at(-1).exitCode };
});
step('session.kill.bad_signal', async () => {
  const run = new Background(box.spawn('sleep', ['7005']));
  const { id } = await sessionOf('7005');
  try {
    return await all(await box.killSession(id, 'SIGNONE'));
  } finally {
    await all(await box.killSession(id));
    await run.exit;
  }
});
step('session.kill.missing', () => box.killSession('999999999'));

/** A session that waits for a file, a second client that attaches to it, then the file. */
async function twoClients(tty) {
  const name = `go-${tty}`;
  const script = `echo ready; until test -e ${name}; do sleep 0.05; done; echo done; exit 5`;
  const first = new Background(box.spawn('sh', ['-c', script], { tty }));
  await first.says('ready');
  const second = new Background(box.attachSession((await sessionOf(name)).id));
  await Promise.race([once(second.command, 'spawn'), second.exit]);
  await fs.writeFile(name, '');
  return { codes: [await first.exit, await second.exit], ends: second.out.trim().split(/\s+/).slice(-1) };
}

step('session.attach', () => twoClients(false));
step('session.attach.missing', async () => new Background(box.attachSession('999999999')).exit);
step('session.outlives_its_client', async () => {
  const other = new Background(box.spawn('sleep', ['7006'], { maxRunAfterDisconnect: '1h' }));
  const session = await sessionOf('7006');
  other.command.wsCmd.close(); // there is no public way to leave a command
  const there = (await box.listSessions()).some(one => one.id === session.id);
  await all(await box.killSession(session.id));
  return there;
});

// Terminals: all at once, for each takes as long as the server holds the socket, which the SDK does not close.

terminal('exec.tty', async () => {
  const script = 'stty size; test -t 0 && test -t 1 && echo tty';
  const run = new Background(box.spawn('sh', ['-c', script], { tty: true, rows: 30, cols: 99 }));
  await run.exit;
  return run.out;
});
terminal('exec.tty.stdin', async () => String((await fed('hello\n\x04', 'cat', [], { tty: true })).out));
// The SDK takes no notice of the exit message of a terminal: 0 where the socket is closed in good order, else 1.
terminal('exec.tty.exit', async () => {
  const code = await new Background(box.spawn('sh', ['-c', 'exit 7'], { tty: true })).exit;
  return code === 0 || code === 1;
});
terminal('exec.resize', async () => {
  const options = { tty: true, rows: 24, cols: 80 };
  const run = new Background(box.spawn('sh', ['-c', 'stty -echo; stty size; read line; stty size'], options));
  await run.says('24 80');
  run.command.resize(120, 40);
  run.command.stdin.write('\n');
  await run.exit;
  return run.out;
});
terminal('session.attach.tty', async () => {
  const { codes, ends } = await twoClients(true);
  return { codes: codes.map(code => code === 0 || code === 1), ends };
});
terminal('session.create', async () => {
  // `createSession` asks for a terminal that survives its client.
  const first = new Background(box.createSession('sh', ['-c', 'echo ready; read line; echo "got $line"']));
  await first.says('ready');
  const session = await sessionOf('got $line');
  const second = new Background(box.attachSession(session.id));
  await once(second.command, 'spawn');
  second.command.stdin.write('typed\n');
  await first.says('got typed');
  await first.exit;
  return { tty: session.tty };
});

// Checkpoints

function lines(messages) {
  return messages.map(message => [message.type, message.data ?? message.error]);
}

step('checkpoint.create', async () => {
  await fs.writeFile('state', 'before');
  const messages = lines(await all(await box.createCheckpoint('first, with "quotes" and ü')));
  const ids = messages.map(([, data]) => /^\s*ID:\s*(\S+)/.exec(data)?.[1]).filter(Boolean);
  return { ids, last: messages.at(-1) };
});
step('checkpoint.list', async () => (await box.listCheckpoints()).map(checkpoint => checkpoint.id));
step('checkpoint.get', async () => {
  const checkpoint = await box.getCheckpoint('v1');
  const age = Date.now() - checkpoint.createTime.getTime();
  return { id: checkpoint.id, comment: checkpoint.comment, age: age > -5_000 && age < 600_000 };
});
step('checkpoint.get.missing', () => box.getCheckpoint('v99'));
step('checkpoint.history', () => box.listCheckpoints('v0'));
step('checkpoint.restore', async () => {
  await fs.writeFile('state', 'after');
  await fs.writeFile('extra', '');
  const messages = lines(await all(await box.restoreCheckpoint('v1')));
  return {
    types: messages.map(([type]) => type), last: messages.at(-1)[1],
    state: await fs.readFile('state', 'utf8'), extra: await fs.exists('extra'),
  };
});
// No exception: the caller has to look.
step('checkpoint.restore.missing', async () => lines(await all(await box.restoreCheckpoint('v99'))).map(([type]) => type));

// Files

step('fs.text', async () => {
  const path = 'dir/a b+c%20ü.txt';
  await fs.writeFile(path, 'grüße\n', { mode: 0o600 });
  const stat = await fs.stat(path);
  return [await fs.readFile(path, 'utf8'), stat.size, stat.mode & 0o777, stat.isDirectory(), stat.isFile()];
});
step('fs.binary', async () => {
  const data = someBytes(3 << 20);
  await fs.writeFile('blob', data);
  const back = await fs.readFile('blob');
  return { size: back.length, same: digest(back) === digest(data) };
});
step('fs.exec_sees_it', async () => {
  await fs.writeFile('seen', 'by the command');
  return (await box.execFile('cat', ['seen'])).stdout;
});
step('fs.list', async () => {
  for (const name of ['x', 'y', 'z/deep']) await fs.writeFile(`listed/${name}`, '');
  return (await fs.readdir('listed')).sort();
});
step('fs.list.types', async () =>
  (await fs.readdir('listed', { withFileTypes: true })).map(entry => [entry.name, entry.isDirectory()]).sort());
step('fs.list.recursive', async () => (await fs.readdir('listed', { recursive: true })).sort());
step('fs.list.pattern', async () => (await fs.readdir('listed', { pattern: 'x*' })).sort());
step('fs.exists', async () => [await fs.exists('listed/x'), await fs.exists('listed/none')]);
step('fs.symlink', async () => {
  await box.execFile('ln', ['-s', 'seen', 'link']);
  const entries = await fs.readdir('.', { withFileTypes: true });
  return entries.find(entry => entry.name === 'link').isSymbolicLink();
});
// The SDK takes the first entry of the listing: a child of the directory, not the directory.
step('fs.stat.directory', async () => {
  await fs.writeFile('parent/child', '12345');
  const stat = await fs.stat('parent');
  return [stat.size, stat.isDirectory()];
});
// For the same reason an empty directory is not there.
step('fs.stat.empty_directory', async () => {
  await fs.mkdir('hollow', { recursive: true });
  return [await fs.exists('hollow'), await fs.readdir('hollow')];
});
step('fs.mkdir', async () => {
  await fs.mkdir('made/deep', { recursive: true });
  return (await box.execFile('ls', ['-A', 'made', 'made/deep'])).stdout;
});
step('fs.mkdir.no_parent', () => fs.mkdir('none/deep'));
step('fs.rename', async () => {
  await fs.writeFile('old', 'moved');
  await fs.rename('old', 'new');
  return [await fs.readFile('new', 'utf8'), await fs.exists('old')];
});
step('fs.copy', async () => {
  await fs.copyFile('listed', 'copied', { recursive: true });
  return (await fs.readdir('copied')).sort();
});
step('fs.chmod', async () => {
  await fs.writeFile('script', '#!/bin/sh\necho ran\n');
  await fs.chmod('script', 0o755);
  return [(await fs.stat('script')).mode & 0o777, (await box.execFile('./script')).stdout];
});
step('fs.chown', async () => {
  // To its owner: no other one is allowed without root.
  const [uid, gid] = (await box.execFile('stat', ['-c', '%u %g', 'seen'])).stdout.trim().split(' ').map(Number);
  await fs.chown('seen', { uid, gid });
});
step('fs.append', async () => {
  await fs.writeFile('log', 'one\n');
  await fs.appendFile('log', 'two\n');
  await fs.appendFile('new log', 'first\n');
  return [await fs.readFile('log', 'utf8'), await fs.readFile('new log', 'utf8')];
});
step('fs.json', async () => {
  await fs.writeJSON('data.json', { a: [1, 'ü'] }, { spaces: 2 });
  return fs.readJSON('data.json');
});
step('fs.watch', async () => {
  await fs.mkdir('spied', { recursive: true });
  const watcher = await fs.watch('spied', { recursive: true });
  const first = await watcher.next();
  await fs.writeFile('spied/new', 'text');
  let event;
  do event = await watcher.next(); while (event && !(event.path?.endsWith('new') && event.event === 'create'));
  await fs.rm('spied/new');
  do event = await watcher.next(); while (event && !(event.path?.endsWith('new') && event.event === 'remove'));
  watcher.close();
  return [first.type, event?.type, event?.isDir ?? false];
});
step('fs.rm', async () => {
  await fs.writeFile('gone', '');
  await fs.rm('gone');
  await fs.rm('gone', { force: true });
  return fs.exists('gone');
});
step('fs.rm.recursive', async () => {
  await fs.rm('copied', { recursive: true });
  return (await fs.readdir('.')).includes('copied');
});
step('fs.read.missing', () => fs.readFile('none'));
step('fs.read.directory', () => fs.readFile('listed'));
step('fs.list.file', () => fs.readdir('seen'));
step('fs.remove.not_empty', () => fs.rm('listed'));
step('fs.remove.missing', () => fs.rm('none'));

// Services

const SCRIPT = `\
echo "hello $GREETING"
trap 'echo signalled' USR1
while :; do sleep 0.05; done
`;

/** Their types, each once in the order of the first, and what was printed. */
async function events(stream) {
  const seen = await all(stream);
  return {
    types: [...new Set(seen.map(event => event.type))],
    stdout: seen.filter(event => event.type === 'stdout').map(event => event.data).join('').trim(),
    logs: seen.at(-1)?.type === 'complete' ? Object.keys(seen.at(-1).logFiles ?? {}).sort() : null,
  };
}

/** Without what was printed in so short a time. */
const quiet = ({ types }) => types.filter(type => type !== 'stdout');

function state(service) {
  return {
    name: service.name, cmd: service.cmd, args: service.args.length, needs: service.needs,
    http_port: service.httpPort ?? null, status: service.state?.status, pid: Boolean(service.state?.pid),
  };
}

step('service.create', async () => {
  const env = { PATH: '/usr/bin:/bin', GREETING: 'you' };
  const config = { cmd: 'sh', args: ['-c', SCRIPT], httpPort: 8080, env, dir: HOME };
  return events(await box.createService('web', config, '2.5s'));
});
step('service.create.second_port', () => box.createService('other', { cmd: 'sleep', args: ['1000'], httpPort: 8081 }));
step('service.create.needs', async () => {
  await all(await box.createService('worker', { cmd: 'sleep', args: ['1000'], needs: ['web'] }, '200ms'));
  return state(await box.getService('worker'));
});
step('service.list', async () => (await box.listServices()).map(service => service.name).sort());
step('service.get', async () => state(await box.getService('web')));
step('service.get.missing', () => box.getService('none'));
step('service.logs', async () => (await events(await box.getServiceLogs('web', { lines: 10 }))).stdout);
step('service.signal', async () => {
  const logs = await box.getServiceLogs('web', { lines: 0, duration: '30s' });
  await box.signalService('web', 'USR1');
  for await (const event of logs) if (event.data?.includes('signalled')) return event.type;
  throw new Error('the log ended first');
});
step('service.signal.bad', () => box.signalService('web', 'NOSUCH'));
step('service.signal.missing', () => box.signalService('none', 'USR1'));
step('service.restart', async () => {
  const before = (await box.getService('web')).state.pid;
  const types = quiet(await events(await box.restartService('web', '200ms')));
  const after = (await box.getService('web')).state;
  return [types, after.status, after.pid !== before];
});
step('service.stop', async () =>
  [(await events(await box.stopService('web', '5s'))).types, state(await box.getService('web')).status]);
step('service.signal.stopped', () => box.signalService('web', 'USR1'));
step('service.start', async () =>
  [quiet(await events(await box.startService('web', '200ms'))), state(await box.getService('web')).status]);
step('service.delete', async () => {
  for (const name of ['worker', 'web']) {
    await all(await box.stopService(name, '5s'));
    await box.deleteService(name);
  }
  return (await box.listServices()).map(service => service.name);
});
step('service.delete.missing', () => box.deleteService('none'));

// Policy

step('policy.network', async () => {
  const rules = [{ domain: '*.example.com', action: 'allow' }, { include: 'defaults' }];
  await box.updateNetworkPolicy({ rules });
  return (await box.getNetworkPolicy()).rules;
});
step('policy.network.bad', () => box.updateNetworkPolicy({ rules: [{ domain: 'example.com', action: 'maybe' }] }));
step('policy.network.unknown_key', () => box.updateNetworkPolicy({ rules: [], extra: 1 }));
step('policy.network.empty', async () => {
  await box.updateNetworkPolicy({ rules: [] });
  return (await box.getNetworkPolicy()).rules;
});
step('policy.privileges', async () => {
  await box.updatePrivilegesPolicy({ profile: 'minimal', devices: ['/dev/null'], noNewPrivileges: true });
  const set = await box.getPrivilegesPolicy();
  await box.deletePrivilegesPolicy();
  return [set, (await box.getPrivilegesPolicy()).profile || ''];
});
step('policy.resources', async () => {
  await box.updateResourcesPolicy({ memory: { limitMB: 2048, autoscale: true } });
  const set = await box.getResourcesPolicy();
  await box.deleteResourcesPolicy();
  return [set, (await box.getResourcesPolicy()).memory?.limitMB ?? null];
});

// Ports

/** An echo server on a port of its own until its stdin ends, for the Node that this is: the sprite has it from here. */
const LISTENER = `
const server = require('node:net').createServer(socket => socket.pipe(socket));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit()).resume();
`;

async function listener() {
  if (!await fs.exists('node')) await fs.writeFile('node', await readFile(process.execPath), { mode: 0o755 });
  const run = new Background(box.spawn('./node', ['-e', LISTENER]));
  await run.says('\n');
  return [Number(run.out), run];
}

async function echoed(port, data) {
  const socket = connect(port, '127.0.0.1');
  const parts = [];
  let size = 0;
  socket.write(data);
  try {
    for await (const part of socket) {
      parts.push(part);
      size += part.length;
      if (size >= data.length) break;
    }
  } catch (error) {
    return error.code;
  }
  return digest(Buffer.concat(parts)) === digest(data);
}

step('proxy.port', async () => {
  const [port, run] = await listener();
  const session = await box.proxyPort(0, port, '127.0.0.1');
  const local = Number(session.localAddr().split(':').at(-1));
  const data = someBytes(1 << 20);
  const same = await Promise.all([echoed(local, data), echoed(local, data)]);
  session.close();
  run.command.stdin.end();
  await run.exit;
  return same;
});
step('proxy.ports', async () => {
  const [port, run] = await listener();
  const sessions = await box.proxyPorts([0, 0].map(localPort => ({ localPort, remotePort: port, remoteHost: '127.0.0.1' })));
  const same = [];
  for (const session of sessions) {
    same.push(await echoed(Number(session.localAddr().split(':').at(-1)), Buffer.from('hi')));
    session.close();
  }
  run.command.stdin.end();
  await run.exit;
  return same;
});
step('ports.watch', async () => {
  const watcher = await box.watchPorts();
  const first = await watcher.next();
  const [port, run] = await listener();
  let opened, closed;
  do opened = await watcher.next(); while (opened && opened.port !== port);
  run.command.stdin.end();
  await run.exit;
  do closed = await watcher.next(); while (closed && closed.port !== port);
  watcher.close();
  return [first.type, Array.isArray(first.ports), opened?.type, opened?.address, opened?.pid > 0, closed?.type];
});

// The control socket, which this server may not have: then the SDK goes on without

step('control.fallback', async () =>
  (await new SpritesClient(token, { baseURL, controlMode: true }).sprite('box').execFile('echo', ['hi'])).stdout);

// The end

step('sprite.delete', async () => {
  await client.deleteSprite('page-000');
  await client.sprite('page-001').destroy();
  await box.delete();
  await client.deleteSprite('watched');
  return (await client.listAllSprites()).length;
});
step('sprite.delete.missing', () => box.delete());

// Jobs, each in the way that the SDK documents

const modes = {
  /** Something for another client to see: a label, a file, a checkpoint. */
  async make({ name }, text) {
    const sprite = await client.createSprite(name, { labels: ['made'] });
    await sprite.filesystem(HOME).writeFile('note', text);
    await all(await sprite.createCheckpoint(text));
  },
  /** What another client made. */
  async look(sprite) {
    const checkpoints = (await sprite.listCheckpoints())
      .filter(({ id }) => id !== 'Current' && id !== 'v0').map(({ id, comment }) => [id, comment]);
    console.log(JSON.stringify({
      labels: (await client.getSprite(sprite.name)).labels,
      note: await sprite.filesystem(HOME).readFile('note', 'utf8'),
      output: (await sprite.execFile('cat', ['note'])).stdout,
      checkpoints,
    }));
  },
  async 'exec-true'(sprite, count) {
    for (let run = 0; run < Number(count); run += 1) await sprite.execFile('true');
  },
  async 'exec-out'(sprite, size) {
    const child = sprite.spawn('head', ['-c', size, '/dev/zero']);
    const exit = new Promise((resolve, reject) => child.on('exit', resolve).on('error', reject));
    await pipeline(child.stdout, process.stdout);
    if (await exit !== 0) throw new Error('it failed');
  },
  async 'exec-in'(sprite, size) {
    const child = sprite.spawn('wc', ['-c']);
    let said = '';
    child.stdout.on('data', data => { said += data; });
    const exit = new Promise((resolve, reject) => child.on('exit', resolve).on('error', reject));
    await once(child, 'spawn');
    const zeros = function* () {
      for (let left = Number(size); left > 0; left -= 65536) yield Buffer.alloc(Math.min(left, 65536));
    };
    await pipeline(Readable.from(zeros()), child.stdin);
    if (await exit !== 0 || Number(said) !== Number(size)) throw new Error(`${said} bytes arrived, not ${size}`);
  },
  async 'cp-up'(sprite, local, remote) {
    await sprite.filesystem().writeFile(remote, await readFile(local));
  },
  async 'cp-down'(sprite, remote, local) {
    await writeFile(local, await sprite.filesystem().readFile(remote));
  },
  async 'cp-many'(sprite, local, remote) {
    const files = sprite.filesystem();
    for (const name of await readdir(local)) await files.writeFile(`${remote}/${name}`, await readFile(`${local}/${name}`));
  },
  async 'cp-many-down'(sprite, remote, local) {
    const files = sprite.filesystem();
    for (const name of await files.readdir(remote)) await writeFile(`${local}/${name}`, await files.readFile(`${remote}/${name}`));
  },
  async list(_sprite, prefix) {
    for (const sprite of await client.listAllSprites(prefix || undefined)) console.log(sprite.name);
  },
};

const [mode, sprite, ...rest] = process.argv.slice(2);
if (mode === 'steps') await runSteps();
else await modes[mode](client.sprite(sprite), ...rest);
process.exit(0);
