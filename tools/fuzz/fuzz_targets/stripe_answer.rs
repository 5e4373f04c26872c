#![no_main]

use chaos::hostile::{Door, House};

thread_local! {
    static HOUSE: House = House::open().expect("it opens");
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    HOUSE.with(|house| house.knock(Door::StripeAnswer, data));
});
