/**
 * The recorder's thread: a block device in memory, served by NBD on a Unix
 * socket to one client, that keeps every write and every flush in order. A
 * thread of its own, because the test may itself wait for this disk.
 *
 * NBD, old style (the protocol's "oldstyle negotiation"): the server speaks
 * first, 152 octets; then come requests of 28 octets and replies of 16.
 */

/** One thing that the device was asked; without octets it is a flush. */
export interface DeviceEvent {
  readonly offset: number;
  readonly octets?: Uint8Array;
}

/** What the thread needs to begin. */
export interface Begin {
  readonly socket: string;
  /** File with the first content. */
  readonly image: string;
  /** One number: how many events there were. */
  readonly counter: SharedArrayBuffer;
}

const REQUEST = 0x25609513;
const REPLY = 0x67446698;
const READ = 0;
const WRITE = 1;
const DISCONNECT = 2;
const FLUSH = 3;
/** Command flag: on disk before the reply. */
const FORCE_UNIT_ACCESS = 1;
/** Device flags: there are flags, FLUSH works, FUA works. */
const DEVICE_FLAGS = 1 | 4 | 8;
const INVALID = 22;

class Device {
  readonly #image: Uint8Array;
  readonly #counter: Int32Array;
  readonly events: DeviceEvent[] = [];

  constructor(image: Uint8Array, counter: SharedArrayBuffer) {
    this.#image = image;
    this.#counter = new Int32Array(counter);
  }

  greeting(): Uint8Array {
    const octets = new Uint8Array(152);
    octets.set(new TextEncoder().encode("NBDMAGIC"));
    const view = new DataView(octets.buffer);
    view.setBigUint64(8, 0x0000_4202_8186_1253n);
    view.setBigUint64(16, BigInt(this.#image.length));
    view.setUint32(24, DEVICE_FLAGS);
    return octets;
  }

  read(offset: number, length: number): Uint8Array {
    return this.#image.subarray(offset, offset + length);
  }

  write(offset: number, octets: Uint8Array): void {
    this.#image.set(octets, offset);
    this.#note({ offset, octets });
  }

  flush(): void {
    this.#note({ offset: 0 });
  }

  // Counted when it is kept, and answered later: whoever waited for the
  // answer reads a number that includes it.
  #note(event: DeviceEvent): void {
    this.events.push(event);
    Atomics.add(this.#counter, 0, 1);
  }
}

/** Answers requests until the client hangs up. */
async function serve(device: Device, conn: Deno.Conn): Promise<void> {
  await sendAll(conn, device.greeting());
  const request = new Uint8Array(28);
  const view = new DataView(request.buffer);
  while (await fill(conn, request)) {
    if (view.getUint32(0) !== REQUEST) throw new Error("Not an NBD request");
    const flags = view.getUint16(4);
    const type = view.getUint16(6);
    const offset = Number(view.getBigUint64(16));
    const length = view.getUint32(24);
    if (type === DISCONNECT) return;
    const reply = new Uint8Array(16 + (type === READ ? length : 0));
    new DataView(reply.buffer).setUint32(0, REPLY);
    reply.set(request.subarray(8, 16), 8);
    switch (type) {
      case READ:
        reply.set(device.read(offset, length), 16);
        break;
      case WRITE: {
        const octets = new Uint8Array(length);
        if (!await fill(conn, octets)) return;
        device.write(offset, octets);
        if (flags & FORCE_UNIT_ACCESS) device.flush();
        break;
      }
      case FLUSH:
        device.flush();
        break;
      default:
        new DataView(reply.buffer).setUint32(4, INVALID);
    }
    await sendAll(conn, reply);
  }
}

async function fill(conn: Deno.Conn, octets: Uint8Array): Promise<boolean> {
  for (let at = 0; at < octets.length;) {
    const got = await conn.read(octets.subarray(at));
    if (got === null) return false;
    at += got;
  }
  return true;
}

async function sendAll(conn: Deno.Conn, octets: Uint8Array): Promise<void> {
  for (let at = 0; at < octets.length;) {
    at += await conn.write(octets.subarray(at));
  }
}

const scope = self as unknown as {
  onmessage: (message: MessageEvent<Begin>) => void;
  postMessage(message: "listening" | { events: DeviceEvent[] }): void;
};

scope.onmessage = async ({ data: { socket, image, counter } }) => {
  const device = new Device(await Deno.readFile(image), counter);
  const listener = Deno.listen({ transport: "unix", path: socket });
  scope.postMessage("listening");
  const conn = await listener.accept();
  listener.close();
  try {
    await serve(device, conn);
  } finally {
    conn.close();
  }
  scope.postMessage({ events: device.events });
};
