//! What a form consists of.

use std::fmt;

use zeroize::Zeroizing;

use super::PartHeaders;

/// What a form consists of, in its order.
#[derive(Clone, PartialEq, Eq)]
pub enum FormEvent<'a> {
    /// A field, whole.
    Field(Field),
    /// A file begins.
    File(PartHeaders),
    /// The next bytes of the file; never none.
    Bytes(&'a [u8]),
    /// The file is whole.
    FileEnd,
    /// The form is whole. What follows it means nothing.
    End,
}

/// A field and its value, which may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its value, as sent.
    pub value: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for FormEvent<'_> {
    /// Without the bytes of files.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => field.fmt(f),
            Self::File(head) => f.debug_tuple("File").field(head).finish(),
            Self::Bytes(bytes) => f.debug_tuple("Bytes").field(&bytes.len()).finish(),
            Self::FileEnd => f.write_str("FileEnd"),
            Self::End => f.write_str("End"),
        }
    }
}

impl fmt::Debug for Field {
    /// The name only: values may be credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field").field("name", &self.name).finish_non_exhaustive()
    }
}
