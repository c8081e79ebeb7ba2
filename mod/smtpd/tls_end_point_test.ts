/**
 * Certificates made by openssl(1); what is wanted is what `openssl x509
 * -outform der` and `sha...sum` say of them.
 */
import { Buffer } from "node:buffer";
import { strictEqual } from "node:assert/strict";
import { tlsServerEndPoint } from "./tls_end_point.ts";

const CERTIFICATES: { name: string; body: string; want: string | null }[] = [
  {
    name: "RSA and SHA-512",
    body:
      `MIIDDzCCAfegAwIBAgIUUXbKmHAlPVTZkyYDbitu2QfvvU4wDQYJKoZIhvcNAQENBQAwFzEV
MBMGA1UEAwwMbXguaG9tZS50ZXN0MB4XDTI2MTEyMTA4NDY1N1oXDTM2MTExODA4NDY1N1ow
FzEVMBMGA1UEAwwMbXguaG9tZS50ZXN0MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKC
AQEA2FACTIhVzVdJfRSPYYl6YjD55fNqFWbG5jdv1gWJ10azSuuVMDTP3ctz51mzMOtqEaHC
qqlkYE1P/sjv0os00b7WhdtJWJvFbOIFK6dJZxs3gV4c9Vw8a/ak5VhgWrVpsf3QQxAMsYS0
iWNGtHvkg7ojeHu4UKiN++Aqw2rTck6QqMmVTM3hE4mIWty5NsSCHHPVMpOXNi43902iBD7o
7e+fUT+RmUoVorSP9S0BTUn58e4mJcmB53Jf+z8Aq73h3l1+ysehLl7Zfr1km+atQ41oXKeu
JtXZxpq+x2r56oZiFsXrYN5xr7r587yie3WmRMBU4RDbWdWQbP12QehUkwIDAQABo1MwUTAd
BgNVHQ4EFgQUEj8+HZF1ixJoB8wASRIwQuaVnxMwHwYDVR0jBBgwFoAUEj8+HZF1ixJoB8wA
SRIwQuaVnxMwDwYDVR0TAQH/BAUwAwEB/zANBgkqhkiG9w0BAQ0FAAOCAQEAYZ9EXlPmdBem
3sVsAu4hr/90PWxAJc6tLyEzU0o9R91Anz8jPRazVXWzxvF51IdtCuuBin+VmlqMhW7dCK4u
l3aCD3bewmAzsfQwG5jry+jtXC8Oy6a5aL5lF8nb+xI9rOiEOs3JCzleHDokG1GUPIbWro26
phHb2eqSB7hDb78XZbO3LtDS9KlO/JfQ43TikkYCDclXHOp7MituzehfSaxb8AhB1vMs3jA2
gtrdJHEYNzugil8XOU+bdQHHgOw5LD0hhQPlWm3ZEd8eI3VK/bERp/jqacAbMPQBH4SVq0Ps
71IKyYxd7nF+DZg4BeWY2MHhxFmHtrYcSafdhE4vug==`,
    want:
      "818eab6262305285d798b1338342bd4a156c753afc3c6e882c4f1a38dcd7d88544826f2d96b410733c1a11d91cc4ca06fe45306ca149a0067a06364814df86b7",
  },
  {
    name: "RSASSA-PSS and SHA-384",
    body:
      `MIIDeTCCAiygAwIBAgIUHypSFUrEQvzPcYTlfgitWXNqXTowQgYJKoZIhvcNAQEKMDWgDzAN
BglghkgBZQMEAgIFAKEcMBoGCSqGSIb3DQEBCDANBglghkgBZQMEAgIFAKIEAgIAzjAXMRUw
EwYDVQQDDAxteC5ob21lLnRlc3QwHhcNMjYxMTIxMDg0NjU4WhcNMzYxMTE4MDg0NjU4WjAX
MRUwEwYDVQQDDAxteC5ob21lLnRlc3QwggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIB
AQCdLKDmDKqRdSsgh+s8fq7Jc+4/NjTiT6gTWgUugbmS3YQvtS0PBAEjnUYpyP9eUR7y29bQ
83LGP0wC0AFCdqMS2+lq38Juq5fsgHuvzoFDq1LPV8cus0PiTCmBG8futo2jgcYLtV5LPJND
hMg2CQkzuRDs+WmAa5EHfqWm2JgHCgh04Ap+4ie5iYkzVZa9TxLPGAPwbepNSa2u40ldki8f
i3Zz27XxwzLsaoem043tqVZDHpqMHM8Ps29ISN/H3o57N650jYyvxGYwv0XHf3PH/gvwl22O
jJQIEdjO7afne/q+hM0z19j+UV3BSMUJRKQXalixsXB8yOsCVsPXj1HFAgMBAAGjUzBRMB0G
A1UdDgQWBBRO8IvkUnrzDLuBq3v46BVvTiWe5DAfBgNVHSMEGDAWgBRO8IvkUnrzDLuBq3v4
6BVvTiWe5DAPBgNVHRMBAf8EBTADAQH/MEIGCSqGSIb3DQEBCjA1oA8wDQYJYIZIAWUDBAIC
BQChHDAaBgkqhkiG9w0BAQgwDQYJYIZIAWUDBAICBQCiBAICAM4DggEBAAh6D7+4HpRNGVQN
wwey9QaFEV+TKOXAYzIcy2b2n0a1NKws7NeVelTtui/FW5KwikVwZy6+tYQcTYTHVwFrP5UE
6qets4tyTbK2zg7gL2Ll94PRBIAk++XCaco/Eq34HYbYiPdQ7NMJIvLrd22iqXVhGXPn/pem
uSrnB0M0mcKDRR/TvxN+P7STsbgXb3yP6V+yxFN1HjgXrrGcpZpf5mNnMhzQyzW9QDH220st
TnTD85AgVtQ+0Cv1D5mTuyf9DINpHHOHcH2BkDS5g/a/Wf/tvEbf1s4+EtSk+bD6GzvSBis/
02pbFY5XGF7s6TCIPa4tZPJmnjtEAx24Fh0pqm8=`,
    want:
      "16b7cf6bf0c390d30d1f6f50f372a4b0cb5df7f548a5b28cbaa52f0e85c76918488199ecb3e7f884315cbe12041bfb01",
  },
  {
    name: "RSASSA-PSS and its default, SHA-1",
    body:
      `MIIDGzCCAf2gAwIBAgIUZYSSCoVzc3hedY9R4Ken61h8P4kwEwYJKoZIhvcNAQEKMAaiBAIC
AOowFzEVMBMGA1UEAwwMbXguaG9tZS50ZXN0MB4XDTI2MTEyMTA4NDY1OFoXDTM2MTExODA4
NDY1OFowFzEVMBMGA1UEAwwMbXguaG9tZS50ZXN0MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A
MIIBCgKCAQEAiXQDuNuvM6+N2PtEfBEo/PNB2Kkr6m6oWM/IzNC6OZrEk5kuDJH2RhwVRgdM
Ujb4kW1B8S1SLLI5iIxSPXgNbaWWGSBXdq4IbZ+yqESneK2plNW1mV2nGjHCtZGzGEiurpN4
QqCBEe85oJVVTQQ6CvACu9d2J3J8NMfsoewYl+otsMf5lGCDQnbNMikg0YnQ11Gx2BlvKYGw
tL67MLfb5+HZWbU4RrttWNnOWi4IyRsw9DJO1MTvplLJrYo00sfGFF8+5ASLcgpkhQJ3vMaM
+owkKikGx+p054PP8K3ke8vHidWV42LZapsWxJqMuXQNFEUGBM98HmUqgAhgysyTFwIDAQAB
o1MwUTAdBgNVHQ4EFgQUsSF75zsMPn7OEkhtWrtudDZTI8QwHwYDVR0jBBgwFoAUsSF75zsM
Pn7OEkhtWrtudDZTI8QwDwYDVR0TAQH/BAUwAwEB/zATBgkqhkiG9w0BAQowBqIEAgIA6gOC
AQEAT/0LstU2t5S0RjBtl+Udb3pW1zw+ncNl065VZC0Fk1l0F9LjmpeBqcJkxNZgQ3RpsdIf
h1Z3OjdqlgcSO0YCcl40mHgtSCzplbALl1d3jz3XllWdYGsRFzhbIL78976BSSkTu2nW5nYk
oHhGT5P9d0bL2QGsW9Eu6Sjz6SG4OevpHy8wy3sXMMTykgHklYY/dwami4DLVxnAonjm+YIb
VV2RtzKcc3PwEj2qvDYeX7Ej9wz+pRGf3T8ipVjF0HYpTezSrmh2JCMXYyPXDZPY5FO3rS7Z
u4rvcnyhkcIL5RlReMY25UP25YfDP0gT/0UGHhs6HHHvQmpklfutXB6pAA==`,
    want: "da1264d2a9464dd0c95f66b7702f3ae1895335fe267db90b75414b1606a09ec9",
  },
  {
    name: "ECDSA and SHA-384",
    body:
      `MIIBwDCCAUagAwIBAgIUQd3oQjc05yk0/tB4P5sxjqh5xk0wCgYIKoZIzj0EAwMwFzEVMBMG
A1UEAwwMbXguaG9tZS50ZXN0MB4XDTI2MTEyMTA4NDY1OVoXDTM2MTExODA4NDY1OVowFzEV
MBMGA1UEAwwMbXguaG9tZS50ZXN0MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEKumSncJNrqVw
kaA+ixqPe5rLC6IFoDN3Popk3gHDrOYR7t2QbckH94XGorwJYide3fTat7GcnSPKWSPh5Ck+
oN2xxAQ/lwhl8XN2sCUkZASU7MXHrqqXERympiw6VWU2o1MwUTAdBgNVHQ4EFgQUU1K6gReq
orWA3dIkJBEF2gpHvoEwHwYDVR0jBBgwFoAUU1K6gReqorWA3dIkJBEF2gpHvoEwDwYDVR0T
AQH/BAUwAwEB/zAKBggqhkjOPQQDAwNoADBlAjEAuPyMbns+KbRvfrr0Yx3yQDrDZHYKq9F8
KPj4xw/q1tPoiNlVUXQwyxAyzzn+roguAjBIO4WpVxURJnHAnYh5XXt1npB0V9rxklmMkOBl
nDYfkz37yT7/MwPF4GdvJtRI08g=`,
    want:
      "667d94e22e8194a3b99ecdeedd73215a3eee367c375cbac8a17a43aa3b1596789b5f89d99f3dbb82a3d686335e499106",
  },
  {
    name: "ECDSA and SHA-256",
    body:
      `MIIBhDCCASmgAwIBAgIUUYLRBd9SbbrIYzuGFPB2KHEsXJIwCgYIKoZIzj0EAwIwFzEVMBMG
A1UEAwwMbXguaG9tZS50ZXN0MB4XDTI2MTEyMTA4NDY1OVoXDTM2MTExODA4NDY1OVowFzEV
MBMGA1UEAwwMbXguaG9tZS50ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8+rkQtZg
6BuQtdQOhQHV8eA1oLqt7EpL5JI62w4yWN5f5M244/RGOVx6lYom5AG1WugMwVzsVn784Uce
TLT1eqNTMFEwHQYDVR0OBBYEFHtFcmNn5CmOaJuJioqPXO7u7tMaMB8GA1UdIwQYMBaAFHtF
cmNn5CmOaJuJioqPXO7u7tMaMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIh
APUy/4F1r+w2Ps5VzK5ywVej617OFb/xjDnj/T/bap6UAiEAjKoH2HdNwfdI+pObkGLfn1Ha
Zl7hlg8Y2wzF5IiOJXE=`,
    want: "d5f0ec65ffc9970036d0050c102c8e2c13ae1a8752f72e47d7c39d331ac5dd08",
  },
  {
    name: "Ed25519, which has no hash of its own",
    body:
      `MIIBQjCB9aADAgECAhQAjJYCPqZXqSOgIOFxlpjOEUm8gDAFBgMrZXAwFzEVMBMGA1UEAwwM
bXguaG9tZS50ZXN0MB4XDTI2MTEyMTA4NDY1OVoXDTM2MTExODA4NDY1OVowFzEVMBMGA1UE
AwwMbXguaG9tZS50ZXN0MCowBQYDK2VwAyEAWjhSQz0gGEGKxHRh1SC2YMfvXgo2pNiOBztT
hHUEaQ2jUzBRMB0GA1UdDgQWBBQttG29r3DYAyAUWGFO5+yegPtZrzAfBgNVHSMEGDAWgBQt
tG29r3DYAyAUWGFO5+yegPtZrzAPBgNVHRMBAf8EBTADAQH/MAUGAytlcANBADij1YSpijXD
PXazen4Z1DnQvjPeeMKmPwZGbjhcKpWWHW0qqlPz7XfnDlrgH0up9ScJNsNcA0nvDGR7DaQO
egI=`,
    want: null,
  },
];

function pem(body: string): string {
  return `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
}

function hex(text: string): string | null {
  const octets = tlsServerEndPoint(text);
  return octets === null ? null : Buffer.from(octets).toString("hex");
}

for (const { name, body, want } of CERTIFICATES) {
  Deno.test(`tlsServerEndPoint() knows the hash of ${name}`, () => {
    strictEqual(hex(pem(body)), want);
    // The first certificate is the server's; its chain follows.
    strictEqual(hex(pem(body) + pem(CERTIFICATES[0]!.body)), want);
  });
}

Deno.test("tlsServerEndPoint() has none for what is no certificate", () => {
  for (const text of ["", pem(""), pem("AAAA"), pem("MIIB"), "garbage"]) {
    strictEqual(hex(text), null);
  }
  const whole = Buffer.from(CERTIFICATES[4]!.body, "base64");
  for (let cut = 0; cut < whole.length; cut++) {
    const body = whole.subarray(0, cut).toString("base64");
    strictEqual(hex(pem(body)), null, `cut at ${cut}`);
  }
});
