//! The networks, on the operations of `lotwise-tensor`: what turns windows of prices into representations.
