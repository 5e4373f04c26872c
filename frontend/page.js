// Pages without a flow of their own: their words in the chosen language, nothing else.

import { translatePage } from "/words.js";

translatePage();
