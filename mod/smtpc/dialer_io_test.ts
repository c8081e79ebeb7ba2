import assert from "node:assert/strict";
import net from "node:net";
import { connect } from "./connection_io.ts";
import { dialerOn } from "./dialer_io.ts";

/** A dial role that answers with the given octets, once asked. */
async function answering(octets: string) {
  const path = `${Deno.makeTempDirSync()}/s`;
  const dialer = dialerOn({ path });
  await new Promise((done) => setTimeout(done, 20));
  const role = net.connect({ path });
  role.on("error", () => {});
  role.on("data", () => role.write(octets));
  await new Promise((done) => setTimeout(done, 20));
  return { dialer, role, path };
}

Deno.test("dialerOn() gives the channel as connection, greeting unread", async () => {
  const { dialer, role } = await answering("\x00220 hi\r\n");
  const socket = await dialer.dial({ address: "2001:db8::1", port: 25 }, 1_000);
  assert.ok(socket);
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  socket.once("data", resolve);
  assert.equal(new TextDecoder().decode(await promise), "220 hi\r\n");
  socket.destroy();
  role.destroy();
  dialer.close();
});

Deno.test("dialerOn() gives nothing when there is no connection", async () => {
  const { dialer, role } = await answering("\x01");
  const to = { address: "2001:db8::1", port: 25 };
  assert.equal(await dialer.dial(to, 1_000), undefined);
  // No channel is left, so nobody can be asked.
  assert.equal(await dialer.dial(to, 100), undefined);
  role.destroy();
  dialer.close();
});

Deno.test("dialerOn() waits for a channel when more are wanted than are spare", async () => {
  const { dialer, role, path } = await answering("\x00");
  role.destroy();
  await new Promise((done) => setTimeout(done, 20));
  const wanted = dialer.dial({ address: "2001:db8::1", port: 25 }, 2_000);
  const late = net.connect({ path });
  late.on("data", () => late.write("\x00"));
  const socket = await wanted;
  assert.ok(socket);
  socket.destroy();
  late.destroy();
  dialer.close();
});

Deno.test("connect() goes through the dial role only where it must", async () => {
  let asked = 0;
  const dial = () => {
    asked++;
    return Promise.resolve(undefined);
  };
  const server = net.createServer();
  await new Promise<void>((done) => server.listen(0, "::1", done));
  const { port } = server.address() as net.AddressInfo;
  const direct = await connect({ address: "::1", port }, 1_000, {
    dialV6: dial,
  });
  assert.ok("reply" in direct);
  assert.equal(asked, 0);
  direct.quit();
  server.close();
});
