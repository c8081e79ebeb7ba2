import assert from "node:assert/strict";
import { parseDnsblSite, passesFilter } from "./dnsbl_site.ts";

// The examples of postconf(5), postscreen_dnsbl_sites, and what is near them.
const SITES: {
  name: string;
  text: string;
  weight: number;
  yes: string[];
  no: string[];
}[] = [
  {
    name: "a bare domain",
    text: "example.com",
    weight: 1,
    yes: ["127.0.0.2", "127.9.9.9"],
    no: ["203.0.113.7", "127.255.255.254"],
  },
  {
    name: "a domain in capitals with a weight",
    text: "ZEN.example*3",
    weight: 3,
    yes: ["127.0.0.2"],
    no: [],
  },
  {
    name: "one address",
    text: "list.example=127.0.0.4",
    weight: 1,
    yes: ["127.0.0.4"],
    no: ["127.0.0.2", "127.0.1.4", "128.0.0.4"],
  },
  {
    name: "a range",
    text: "zen.example=127.0.0.[2..11]*3",
    weight: 3,
    yes: ["127.0.0.2", "127.0.0.11", "127.0.0.7"],
    no: ["127.0.0.1", "127.0.0.12"],
  },
  {
    name: "a list with a range",
    text: "zen.example=127.0.0.[2..11;14]",
    weight: 1,
    yes: ["127.0.0.2", "127.0.0.14"],
    no: ["127.0.0.12", "127.0.0.13", "127.0.0.15"],
  },
  {
    name: "lists in several places",
    text: "l.example=127.0.[0;1].[1;3..4]*2",
    weight: 2,
    yes: ["127.0.0.1", "127.0.1.4"],
    no: ["127.0.2.1", "127.0.0.2"],
  },
  {
    name: "a number behind a list",
    text: "white.example=127.0.[0;1].1*-2",
    weight: -2,
    yes: ["127.0.1.1"],
    no: ["127.0.1.2"],
  },
  {
    name: "everything in brackets",
    text: "l.example=[127].[0..255].[0].[2]",
    weight: 1,
    yes: ["127.9.0.2"],
    no: ["126.9.0.2"],
  },
];

for (const { name, text, weight, yes, no } of SITES) {
  Deno.test(`parseDnsblSite() reads ${name}`, () => {
    const site = parseDnsblSite(text);
    assert.ok(!("fault" in site), JSON.stringify(site));
    assert.equal(site.weight, weight);
    assert.equal(site.domain, site.domain.toLowerCase());
    for (const one of yes) assert.ok(passesFilter(site, one), one);
    for (const one of no) assert.ok(!passesFilter(site, one), one);
  });
}

const FAULTS: { name: string; text: string; says: string }[] = [
  { name: "nothing", text: "", says: "domain" },
  { name: "no domain", text: "=127.0.0.2", says: "domain" },
  { name: "an address for a domain", text: "127.0.0.2", says: "domain" },
  { name: "an empty weight", text: "a.example*", says: "weight" },
  { name: "a weight of words", text: "a.example*two", says: "weight" },
  { name: "a broken weight", text: "a.example*1.5", says: "weight" },
  { name: "a huge weight", text: "a.example*1001", says: "weight" },
  { name: "an empty filter", text: "a.example=", says: "number" },
  { name: "three parts", text: "a.example=127.0.0", says: "3 parts" },
  { name: "five parts", text: "a.example=127.0.0.1.2", says: "d.d.d.d" },
  { name: "a part too large", text: "a.example=127.0.0.256", says: "256" },
  { name: "an open bracket", text: "a.example=127.0.0.[2", says: "]" },
  { name: "an empty bracket", text: "a.example=127.0.0.[]", says: "number" },
  {
    name: "a range backwards",
    text: "a.example=127.0.0.[9..2]",
    says: "wrong",
  },
  { name: "half a range", text: "a.example=127.0.0.[2..]", says: "2.." },
  { name: "commas in a list", text: "a.example=127.0.0.[2,3]", says: "2,3" },
  { name: "a bracket and more", text: "a.example=127.0.0.[2]3", says: "d.d" },
  { name: "a dot at the end", text: "a.example=127.0.0.2.", says: "d.d" },
];

for (const { name, text, says } of FAULTS) {
  Deno.test(`parseDnsblSite() refuses ${name}`, () => {
    const read = parseDnsblSite(text);
    assert.ok(
      "fault" in read && read.fault.includes(says),
      JSON.stringify(read),
    );
  });
}
