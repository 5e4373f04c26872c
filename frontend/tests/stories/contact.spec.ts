// How a number and an address are understood, said before anything is booked.

import { somebody } from "../stage/client.ts";
import { barrierFree, expect, fits, test } from "../stage/story.ts";

test("a number is read back beside its field, and a slip in an address is asked about", async ({ client, page }) => {
  await client.visit();
  await client.chooseFlash();
  await client.introduce({ name: "Jo Martin", email: "jo@gmial.com", phone: "+41 (0)78 123 45 67" });
  await expect(client.dialog.getByText("+41 78 123 45 67, Suisse")).toBeVisible();
  const meant = client.button("jo@gmail.com", client.dialog);
  await expect(meant).toBeVisible();
  await expect(client.dialog.getByText(/^Vouliez-vous dire/)).toBeVisible();
  await barrierFree(page, "a number is read back");
  await fits(page, "a number is read back");
  await client.press(meant);
  await expect(client.field(client.words.email)).toHaveValue("jo@gmail.com");
  await expect(meant).toBeHidden();
});

test("what the server would refuse is said before a slot is chosen, and the summary shows what is dialled", async ({
  client,
  page,
}) => {
  await client.visit();
  await client.chooseFlash();
  await client.introduce({ ...somebody(), phone: "+999 12345678" });
  await client.next();
  await expect(client.dialog.getByText(/^Ce numéro n’existe pas/)).toBeVisible();
  await expect(client.field(client.words.phone)).toBeFocused();
  await client.at(client.words.contact);
  await client.field(client.words.phone).fill("\u202a06\u00ad12 34 56 78\u202c");
  await client.next();
  await client.at(client.words.slot);
  await client.toSummary();
  await expect(client.dialog.getByText(/\+33 6 12 34 56 78/)).toBeVisible();
  await page.goBack();
});

test("nobody is stopped when the reading does not answer", async ({ client, page, witness }) => {
  witness.expects(/^503: POST .*\/api\/contact\/read$/);
  await page.route("**/api/contact/read", (route) => route.fulfill({ status: 503, body: "{}" }));
  await client.visit();
  await client.chooseFlash();
  await client.toSlots(somebody());
});
