//! Every way in which a field of a client's form can be wrong.

use std::fmt;

use crate::domain::locale::Locale;

macro_rules! field_errors {
    ($($(#[$doc:meta])* $name:ident $fr:literal $en:literal;)+) => {
        /// What is wrong with a field, with a sentence for the person who filled it in.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum InvalidField {
            $($(#[$doc])* $name,)+
        }

        impl InvalidField {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// What to say to the person.
            #[must_use]
            pub const fn sentence(self, locale: Locale) -> &'static str {
                match (self, locale) {
                    $((Self::$name, Locale::Fr) => $fr, (Self::$name, Locale::En) => $en,)+
                }
            }
        }
    };
}

field_errors! {
    /// Fewer than two characters.
    NameTooShort
        "Indiquez votre nom (2 caractères au moins)."
        "Enter your name (at least 2 characters).";
    /// More than 100 characters.
    NameTooLong
        "Ce nom dépasse 100 caractères."
        "This name is longer than 100 characters.";
    /// A line break, a control character or one that hides the order of the others.
    NameNotPlain
        "Ce nom contient un retour à la ligne ou un caractère invisible."
        "This name contains a line break or an invisible character.";

    /// An address of a site or a mailbox.
    NameHoldsLink
        "Un nom ne contient ni lien ni adresse\u{a0}: retirez-les, ou mettez une espace après le point."
        "A name contains no link and no address: remove it, or put a space after the full stop.";

    /// Nothing was given.
    EmailMissing
        "Indiquez votre adresse e-mail."
        "Enter your email address.";
    /// No `@`.
    EmailWithoutAt
        "Il manque un @ dans l’adresse e-mail."
        "The email address is missing an @.";
    /// More than one `@`.
    EmailSeveralAts
        "Une adresse e-mail ne contient qu’un seul @."
        "An email address contains only one @.";
    /// Nothing before the `@`.
    EmailWithoutName
        "Il manque le début de l’adresse, avant le @."
        "The part before the @ is missing.";
    /// No dot in the domain, or nothing after it.
    EmailWithoutEnding
        "Il manque la fin de l’adresse, par exemple .fr ou .com."
        "The address is missing its ending, such as .com or .fr.";
    /// A space or a line break.
    EmailWithSpace
        "Une adresse e-mail ne contient pas d’espace."
        "An email address contains no spaces.";
    /// A letter outside ASCII before the `@`.
    EmailAccentInName
        "Avant le @, une adresse s’écrit sans accent et en lettres latines\u{a0}: vérifiez-la, ou donnez-en une autre."
        "Before the @, an address has plain Latin letters without accents: check it, or give another one.";
    /// A character that mail servers refuse, such as a bracket.
    EmailBadCharacter
        "Cette adresse contient un caractère que les messageries refusent (parenthèse, virgule, guillemet…)."
        "This address contains a character that mail servers refuse (bracket, comma, quote…).";
    /// A dot or a hyphen where none can be.
    EmailMalformed
        "Cette adresse e-mail est mal formée\u{a0}: vérifiez les points et les tirets."
        "This email address is malformed: check its dots and hyphens.";
    /// More than 254 characters, or more than 64 before the `@`.
    EmailTooLong
        "Cette adresse e-mail est trop longue."
        "This email address is too long.";

    /// Nothing was given.
    PhoneMissing
        "Indiquez votre numéro de téléphone."
        "Enter your phone number.";
    /// Something else than digits and what usually stands between them.
    PhoneBadCharacter
        "Un numéro de téléphone s’écrit avec des chiffres, par exemple 06\u{a0}12\u{a0}34\u{a0}56\u{a0}78."
        "A phone number is written in digits, for example +33\u{a0}6\u{a0}12\u{a0}34\u{a0}56\u{a0}78.";
    /// Not a number of the artist's country, and without a country code.
    PhoneNotHere
        "Ce n’est pas un numéro du pays de l’artiste\u{a0}: vérifiez-le, ou commencez par + et l’indicatif, comme +32\u{a0}470\u{a0}12\u{a0}34\u{a0}56."
        "This is not a number of the artist’s country: check it, or start with + and the country code, such as +44\u{a0}7400\u{a0}123456.";
    /// Too few digits.
    PhoneTooShort
        "Il manque des chiffres à ce numéro, ou l’indicatif de son pays, comme +32 ou +687."
        "This number is missing some digits, or its country code, such as +44 or +32.";
    /// Too many digits.
    PhoneTooLong
        "Ce numéro a trop de chiffres, ou il lui manque l’indicatif de son pays, comme +39 ou +49."
        "This number has too many digits, or lacks its country code, such as +39 or +49.";
    /// No country has this code, or the country no such number.
    PhoneUnknown
        "Ce numéro n’existe pas\u{a0}: vérifiez l’indicatif et les premiers chiffres."
        "This number does not exist: check its country code and first digits.";

    /// Fewer than ten characters.
    DescriptionTooShort
        "Décrivez votre projet en quelques mots (10 caractères au moins)."
        "Describe your project in a few words (at least 10 characters).";
    /// More than 2,000 characters.
    DescriptionTooLong
        "La description dépasse 2\u{202f}000 caractères."
        "The description is longer than 2,000 characters.";
    /// A control character, or one that hides the order of the others.
    DescriptionNotPlain
        "La description contient un caractère invisible."
        "The description contains an invisible character.";
    /// Nothing was given.
    BodyZoneMissing
        "Indiquez la zone du corps."
        "Say where on the body.";
    /// More than 80 characters.
    BodyZoneTooLong
        "La zone du corps dépasse 80 caractères."
        "The body zone is longer than 80 characters.";
    /// A line break, a control character or one that hides the order of the others.
    BodyZoneNotPlain
        "La zone du corps contient un retour à la ligne ou un caractère invisible."
        "The body zone contains a line break or an invisible character.";
    /// Zero or less.
    BudgetNotPositive
        "Le budget doit être supérieur à zéro."
        "The budget must be more than zero.";
    /// More than the database can hold.
    BudgetTooLarge
        "Ce budget est trop élevé."
        "This budget is too large.";
}

impl fmt::Display for InvalidField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence(Locale::En))
    }
}

impl std::error::Error for InvalidField {}
