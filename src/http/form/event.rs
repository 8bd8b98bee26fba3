//! The events of a form parser.

use std::fmt;

use zeroize::Zeroizing;

use super::PartHeaders;

/// One element of a form, in order.
#[derive(Clone, PartialEq, Eq)]
pub enum FormEvent<'a> {
    /// A complete field.
    Field(Field),
    /// The start of a file.
    File(PartHeaders),
    /// The next bytes of the file; never empty.
    Bytes(&'a [u8]),
    /// The end of the file.
    FileEnd,
    /// The end of the form. What follows it is ignored.
    End,
}

/// A field and its value, which may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Field {
    /// The name of the field.
    pub name: String,
    /// The value, as sent.
    pub value: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for FormEvent<'_> {
    /// Omits the bytes of files.
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
    /// Only the name: values may be credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field").field("name", &self.name).finish_non_exhaustive()
    }
}
